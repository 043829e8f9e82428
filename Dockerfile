# One image for every role: `run` (all in one), `web`, `schedule`, `work`, `migrate`, or any other command of `digest`.
# What is in it stands in /opt/digest/sbom.json (`pip inspect`).
FROM python:3.13-slim-trixie AS build
WORKDIR /src
RUN python -m venv /opt/digest
COPY requirements.lock ./
RUN /opt/digest/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY digest digest
COPY templates templates
COPY migrations migrations
RUN /opt/digest/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && /opt/digest/bin/python -m pip --quiet inspect --local > /opt/digest/sbom.json \
 && /opt/digest/bin/python -m pip uninstall --yes --quiet hatchling pathspec pluggy trove-classifiers pip \
 && /opt/digest/bin/python -m compileall -q /opt/digest/lib

FROM python:3.13-slim-trixie
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="economic-digest" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.description="A self-hosted daily e-mail digest of the economic news that matters" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin digest \
 && mkdir /data && chown digest:digest /data
COPY --from=build /opt/digest /opt/digest
ENV PATH=/opt/digest/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DIGEST_HOME=/data
USER digest
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["digest", "health"]
ENTRYPOINT ["digest"]
CMD ["run", "--host", "0.0.0.0"]
