//! Names of people, streets and towns that come from no list that is shipped.
//!
//! Two origins: put together from syllables, which no list can know, and a few that anybody knows,
//! written down from memory, which lists mostly do. It promises names that look like their language.

use crate::random::Random;

/// The languages of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    German,
    Dutch,
    French,
    English,
}

/// Where names come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Put together from syllables.
    Invented,
    /// Such as anybody knows.
    Common,
}

/// The material of a language; words are parted by spaces, names of several words by commas.
struct Material {
    first: [&'static str; 2],
    last: [&'static str; 2],
    stems: &'static str,
    towns: &'static str,
    common: Common,
}

/// Names that anybody knows, parted by commas.
struct Common {
    first: &'static str,
    last: &'static str,
    streets: &'static str,
    towns: &'static str,
}

const GERMAN: Material = Material {
    first: [
        "Al Bern Diet Eck Folk Ger Hel Ing Kuni Lud Mein Ort Rein Sieg Tass Ul Wal Wen",
        "bert fried gund hard helm hild linde mar mut ram rich run trud win wig",
    ],
    last: [
        "Brenk Dross Ellern Friel Grött Hack Kess Lüdd Mörs Nieb Pött Quass Rüsch Struck Tümm Wess",
        "mann hauer berger stedt horst kamp ling inger ert ke now itz enbach meier",
    ],
    stems: "Brenk Dorn Eller Fuchs Grött Hasel Iser Kolk Lütt Mühl Nettel Osten Pappel Rohr Stein Tann",
    towns: "hausen ingen stedt feld rode dorf büttel bach",
    common: Common {
        first: "Anna,Thomas,Sabine,Michael,Julia,Stefan,Petra,Andreas,Katharina,Wolfgang,Claudia,\
                Jürgen,Lena,Matthias,Heike,Tobias,Ayşe,Mehmet,Anna-Lena,Hans-Peter",
        last: "Müller,Schmidt,Schneider,Fischer,Weber,Wagner,Becker,Hoffmann,Schäfer,Koch,Richter,\
               Klein,Wolf,Neumann,Schwarz,Yılmaz,Nowak,von Bergen,Krüger,Müller-Lüdenscheidt",
        streets: "Hauptstraße,Bahnhofstr.,Am Markt,Gartenweg,Schillerstraße,Lindenallee,Ringstr.,\
                  Unter den Linden,Karl-Marx-Allee,Kirchgasse,Goethestraße,Zum Wasserturm",
        towns: "Berlin,Hamburg,München,Köln,Frankfurt am Main,Stuttgart,Düsseldorf,Leipzig,Bremen,\
                Nürnberg,Halle (Saale),Bad Homburg,Osnabrück,Fürth,Kiel,Essen",
    },
};

const DUTCH: Material = Material {
    first: [
        "Aal Bou Gerb Hein Jor Klaa Lies Maar Nel Roe Sjo Tjeer Wie",
        "ke tje bert dine jan lotte mina nout wijn rik",
    ],
    last: [
        "Brand Hoek Klin Mol Oever Ries Slag Veen Wolt Zand",
        "stra sma huis kamp laar burg meijer inga ink",
    ],
    stems: "Brand Dorp Eiken Hoef Kolk Linde Molen Nieuw Oude Polder Riet Sluis Veen Wilgen Zand",
    towns: "dorp veen wijk huizen broek loo dam",
    common: Common {
        first: "Jan,Maria,Pieter,Anneke,Kees,Johanna,Bart,Sanne,Willem,Femke,Daan,Lotte,Mohamed,\
                Fatima,Joost,Marijke,Sander,Ingrid,Hendrik,Eva",
        last: "de Jong,Jansen,de Vries,van den Berg,Bakker,van Dijk,Visser,Smit,Meijer,de Boer,\
               Mulder,de Groot,Bos,Vos,Peters,Hendriks,van Leeuwen,Dekker,Brouwer,Yıldız",
        streets: "Kerkstraat,Dorpsstraat,Stationsweg,Molenlaan,Prinsengracht,Beukenlaan,\
                  Schoolstraat,Julianaplein,Lange Voorhout,Oude Gracht,Industrieweg,Hoofdstraat",
        towns: "Amsterdam,Rotterdam,Den Haag,Utrecht,Eindhoven,Groningen,Tilburg,Almere,Breda,\
                Nijmegen,'s-Hertogenbosch,Alphen aan den Rijn,Leeuwarden,Zwolle,Goes,Gent",
    },
};

const FRENCH: Material = Material {
    first: [
        "Al Bert Cél Dor Émer Fab Gis Hél Jos Laur Mar Noël Od Rosel Séver Thi Yol",
        "ine ien ette aud andre iane ice in elle onse",
    ],
    last: [
        "Bour Char Del Fon Gail Lem Mont Per Roche Sau Vill Beau",
        "ard eau etier geon lier mont nier ville quin sard",
    ],
    stems: "Acacias Bouleaux Charmes Fontenelles Grillons Hirondelles Jonquilles Merisiers Ormeaux Tilleuls",
    towns: "ville court mont bourg sac vaux",
    common: Common {
        first: "Marie,Jean,Nathalie,Pierre,Isabelle,Michel,Sophie,Philippe,Camille,Nicolas,Céline,\
                François,Léa,Julien,Aurélie,Mohamed,Jean-Luc,Anne-Sophie,Chloé,Hugo",
        last: "Martin,Bernard,Dubois,Thomas,Robert,Richard,Petit,Durand,Leroy,Moreau,Simon,Laurent,\
               Lefebvre,Michel,Garcia,David,Bertrand,Roux,Vincent,de La Tour",
        streets: "rue de la République,avenue Victor Hugo,place du Marché,boulevard Voltaire,\
                  rue des Lilas,chemin du Moulin,impasse des Acacias,quai de la Loire,rue Pasteur,\
                  allée des Tilleuls,route de Lyon,cours Mirabeau",
        towns: "Paris,Marseille,Lyon,Toulouse,Nice,Nantes,Strasbourg,Montpellier,Bordeaux,Lille,\
                Saint-Étienne,Aix-en-Provence,Le Havre,Clermont-Ferrand,Brest,La Rochelle",
    },
};

const ENGLISH: Material = Material {
    first: [
        "Al Bran Cor Dar El Gar Har Jes Kel Lyn Mar Ros Tam Win",
        "den lyn ric son ley anne issa ton wyn bert",
    ],
    last: [
        "Ash Black Carl Dun Fair Hart Lang Mel Nor Pem Roth Stan Thorn Whit Wood",
        "bourne combe field ford gate ham ley more sley stead ton well wick worth",
    ],
    stems: "Alder Birch Cedar Elder Fern Gorse Hazel Heather Linden Maple Rowan Thistle Willow Yew",
    towns: "ton ham ford bury wick combe thorpe",
    common: Common {
        first: "James,Mary,John,Patricia,Robert,Jennifer,David,Linda,William,Susan,Oliver,Emily,\
                Mohammed,Priya,George,Charlotte,Jack,Sophie,Harry,Siobhán",
        last: "Smith,Jones,Taylor,Brown,Williams,Wilson,Johnson,Davies,Patel,Wright,Walker,White,\
               Thompson,Green,Hall,Wood,Harris,Clarke,O'Connor,Khan",
        streets: "High Street,Station Road,Church Lane,Park Avenue,Victoria Rd,Mill Close,\
                  London Road,The Crescent,Queens Drive,Manor Gardens,Kings Way,Green Lane",
        towns: "London,Birmingham,Leeds,Glasgow,Sheffield,Bradford,Liverpool,Edinburgh,Manchester,\
                Bristol,Stoke-on-Trent,Newcastle upon Tyne,Cardiff,Bath,Reading,Milton Keynes",
    },
};

impl Language {
    fn material(self) -> &'static Material {
        match self {
            Self::German => &GERMAN,
            Self::Dutch => &DUTCH,
            Self::French => &FRENCH,
            Self::English => &ENGLISH,
        }
    }

    pub(crate) fn first_name(self, origin: Origin, random: &mut Random) -> String {
        match origin {
            Origin::Invented => joined(self.material().first, random),
            Origin::Common => listed(self.material().common.first, random),
        }
    }

    pub(crate) fn last_name(self, origin: Origin, random: &mut Random) -> String {
        if origin == Origin::Common {
            return listed(self.material().common.last, random);
        }
        let name = joined(self.material().last, random);
        match (self, random.below(6)) {
            (Self::Dutch, 0) => format!("van {name}"),
            (Self::Dutch, 1) => format!("van der {name}"),
            (Self::German, 0) => format!("{name}-{}", joined(self.material().last, random)),
            _ => name,
        }
    }

    pub(crate) fn street(self, origin: Origin, random: &mut Random) -> String {
        if origin == Origin::Common {
            return listed(self.material().common.streets, random);
        }
        let stem = word(self.material().stems, random);
        match self {
            Self::German => match random.below(4) {
                0 => format!("{stem}er Weg"),
                1 => format!("Am {stem}hof"),
                _ => stem + word("straße str. weg allee gasse ring platz damm", random).as_str(),
            },
            Self::Dutch => stem + &word("straat laan weg plein dreef hof kade singel", random),
            Self::French => {
                format!("{} des {stem}", word("rue avenue impasse allée chemin place", random))
            }
            Self::English => {
                format!("{stem} {}", word("Street Road Lane Close Avenue Way", random))
            }
        }
    }

    pub(crate) fn town(self, origin: Origin, random: &mut Random) -> String {
        match origin {
            Origin::Common => listed(self.material().common.towns, random),
            Origin::Invented => joined([self.material().last[0], self.material().towns], random),
        }
    }
}

/// One of the words of a text.
pub(crate) fn word(words: &str, random: &mut Random) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    (*random.pick(&words)).to_owned()
}

/// One of the parts of a text, parted by commas.
pub(crate) fn listed(list: &str, random: &mut Random) -> String {
    let parts: Vec<&str> = list.split(',').map(str::trim).collect();
    (*random.pick(&parts)).to_owned()
}

fn joined(syllables: [&str; 2], random: &mut Random) -> String {
    syllables.map(|syllables| word(syllables, random)).concat()
}
