"""How common English words are in headlines, so that among a handful of articles not every word looks rare."""

_PER_10_000 = {
    225: "rise",
    187: "deal fall file oil share talk trade",
    156: "end global high hit open plan report top",
    130: "back call claim data drop kill price rate record sale time",
    108: "billion buy cut economi face get gold growth hold job make meet near see set take",
    90: (
        "attack chief court dollar expect export gain inflat low lower million miss polici post profit push "
        "risk rule seek show sinc warn"
    ),
    75: (
        "bid big boost busi case chang close compani concern crisi declin demand elect energi futur home loss "
        "minist move nation need offer offici pay power presid public rais second secur sourc still target "
        "tax tension test urg use vote want"
    ),
    62: (
        "action bln creat despit econom euro eye fear firm fund gas go grow help investor key lead poll probe "
        "protect ralli result return reveal search sell start state step strike support tie war win worker"
    ),
    52: (
        "alleg ban beat biggest bond challeng charg comment continu cost famili fight fire flight forc "
        "foreign four general govern group head health hope increas keep know law lawmak major media next "
        "nuclear outlook pct polit pressur reject sanction sign surg tech train video work"
    ),
    43: (
        "accus agre aid announc bet bill build car central come death debt drone earn ex exchang five focus "
        "forecast fuel higher industri invest issu last leav link look mln money must name offic order plane "
        "plant polic press propos protest reach region revenu six slow struggl term threat threaten turn way "
        "weak weigh"
    ),
    36: (
        "agreement air approv ask asset becom block break capit cash crash die drug earli eas edg extend fail "
        "financi find forex former found fraud game good import investig jet jump largest launch legal level "
        "lift limit list loan long lose mark militari number point possibl product quarter question reform "
        "remain right rival role run servic signal sink spend stay strong student system view water"
    ),
    30: (
        "act add advanc anoth arrest begin bring check climb collaps confid consum countri credit dead defens "
        "diplomat drive even event expand explain far giant give half halt hear insid interest join leader "
        "like line member mobil old parti pick posit prepar prime quit readi recal regul releas review sector "
        "seen seiz send shift slip social stake studi suppli takeov tanker team third track transit travel "
        "tri without worri"
    ),
    25: (
        "account ad airport allow analyst anti appeal area bankruptci bar base battl behind best breach "
        "confirm control controversi custom defend delay digit disappoint doubl due employe enter ever execut "
        "financ flag follow free governor guilti illeg internat judg land led less maker manag manufactur "
        "mass mother percent play pledg pound project put real recoveri relat resign respons retail save "
        "settlement ship slam slide soar soon spark speech stop storm thing trader union visit weather yen "
        "yield"
    ),
    20: (
        "administr agenc almost app appoint arm attorney author away blow boss brief cap card celebr cite "
        "clash co convict corpor critic crude curb deadlin debat debut decis deputi director drag effect "
        "effort emerg exit expert feder final full grip hand happen hard held highest hurt impact improv "
        "includ index jail landmark mean net oper part plung port promis properti pull remov safe safeti "
        "secretari sever slump snap son speed stand stream suspend tell toward transport trigger troop valu "
        "vehicl worth yet"
    ),
    17: (
        "acceler access anniversari attempt better black carrier caus clear coal competit consid correct "
        "cours crimin damag deliv deni develop dip disput factori flat fresh goe govt ground hack heat "
        "highlight histor immigr incom independ insur justic lawsuit lawyer let letter life littl lobbi local "
        "lost massiv match messag minut model mortgag natur network onlin parliament partnership passeng "
        "pilot potenti predict problem produc prompt race realli recov red remark renew restrict resum road "
        "satellit sharehold shock short small stabl stall stimulus strategi strengthen struck supplier tariff "
        "technolog unemploy unveil urgent user victim widen worst"
    ),
    14: (
        "accept activist advis aim annex around assault auto avoid await balanc benefit blame book boom "
        "budget campaign candid chain chairman clean climat cloud cold commit committe complet conflict "
        "copper crackdown danger decid deepen depart depend detail discuss door e eight equiti estim evid "
        "fair fallout fix flash fli form gap histori hunt imag juri labor left loom love maintain mayor metal "
        "mine much note option other outsid overhaul pact past payment perform phone pipelin pizza place "
        "premier prison program purchas rail reason rebound refus replac retir revis ride seat settl site "
        "southern spill split spot stabil stolen strateg stress success surpris tackl tool trend troubl "
        "violat visa vow wage wait watchdog wealth weapon well"
    ),
    12: (
        "arriv bodi cabl cancel carri chip commerc condit crown cultur currenc decad defenc driver earthquak "
        "electr equal era escal explor factbox figur fine great gun happi hint hospit hotel initi least made "
        "mani measur minor mix owner partner photo pictur pois precious re resid resolv revers rout session "
        "seven shortag shrink spin stanc stori strength stronger suggest survey testimoni trip uncertainti "
        "wake withdraw worsen yuan"
    ),
}

SHARES = {stem: count / 10_000 for count, stems in _PER_10_000.items() for stem in stems.split()}
"""The share of headlines that have a word with this stem, for the 800 most common; names are left out.

Counted over 12,800 headlines of business and world news of 2014 and 2026. A share is the geometric mean of those in the
two years, so that no year's great story is in it, and is rounded to steps of a fifth.
"""
