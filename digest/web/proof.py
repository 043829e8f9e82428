"""Proof of work: a visitor's browser tries numbers until a hash begins with enough zeros, which one look tells us (hashcash).

A person does not notice the second it takes; who enters thousands of addresses pays it for each.
"""

import hashlib

BITS = 16
"""Of zeros: 65,000 tries on average."""

LONGEST = 20

# The same as `holds`, tried in batches, since each hash of the browser's own is computed elsewhere.
SCRIPT = f"""'use strict';
for (const form of document.querySelectorAll('form[data-proof]')) {{
  let proved = '';
  form.addEventListener('submit', async event => {{
    const address = form.elements.email.value;
    if (proved === address) return;
    event.preventDefault();
    const button = form.querySelector('button[name=action]');
    button.disabled = true;
    form.setAttribute('aria-busy', 'true');
    const text = new TextEncoder();
    for (let from = 0, found = -1; found < 0; from += 512) {{
      const tries = Array.from({{length: 512}}, (_, one) =>
        crypto.subtle.digest('SHA-256', text.encode(`${{form.elements.form.value}}:${{address}}:${{from + one}}`)));
      found = (await Promise.all(tries)).findIndex(hash => new DataView(hash).getUint32(0) >>> {32 - BITS} === 0);
      if (found >= 0) form.elements.proof.value = from + found;
    }}
    proved = address;
    form.removeAttribute('aria-busy');
    button.disabled = false;
    form.requestSubmit(button);
  }});
}}
"""


def holds(form: str, address: str, number: str) -> bool:
    """Whether a number proves that somebody has worked for sending this form with this address, as it was typed."""
    if not number.isascii() or not number.isdecimal() or len(number) > LONGEST:
        return False
    digest = hashlib.sha256(f"{form}:{address}:{number}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - BITS) == 0
