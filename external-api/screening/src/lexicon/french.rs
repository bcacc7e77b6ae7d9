//! French words of field names.
//!
//! It promises whole words and phrases written together, grouped by meaning; words French shares
//! with the other languages stand there. It relies on the lexicon for spellings without accents.

use tresor_proto::{DataClass, InfoType};

use super::{Group, Sense};

pub(super) const WORDS: &[Group] = &[
    (Sense::Type(InfoType::FirstName), "prénom prénoms"),
    (
        Sense::Type(InfoType::LastName),
        "nomdefamille nomfamille nomdejeunefille nomnaissance nomdenaissance",
    ),
    (
        Sense::Type(InfoType::PersonName),
        "nomcomplet titulaireducompte titulairecompte titulairedelacarte nomdutitulaire nomaffiché \
         nomprénom nometprénom raisonsociale",
    ),
    (Sense::Type(InfoType::Title), "civilité"),
    (Sense::Type(InfoType::Gender), "sexe genre"),
    (
        Sense::Type(InfoType::DateOfBirth),
        "datedenaissance datenaissance naissance anneenaissance néle",
    ),
    (Sense::Type(InfoType::Nationality), "nationalité"),
    (Sense::Type(InfoType::EmailAddress), "courriel mél adressemail adresseemail"),
    (Sense::Type(InfoType::PhoneNumber), "téléphone téléphones numérotéléphone portable télécopie"),
    (Sense::Type(InfoType::Url), "siteweb siteinternet"),
    (Sense::Type(InfoType::StreetAddress), "adressepostale domicile"),
    (Sense::Type(InfoType::Street), "rue voie nomrue nomvoie"),
    (Sense::Type(InfoType::HouseNumber), "numérorue numéroderue numérovoie numérodevoie"),
    (Sense::Type(InfoType::Postcode), "codepostal cp"),
    (Sense::Type(InfoType::City), "ville commune localité lieunaissance lieudenaissance"),
    (Sense::Type(InfoType::LocationCoordinates), "coordonnéesgps géolocalisation"),
    (Sense::Type(InfoType::BankAccount), "compte comptebancaire numérocompte numérodecompte rib"),
    (
        Sense::Type(InfoType::CreditCardNumber),
        "cartebancaire cartebleue cartedecrédit numérocarte numérodecarte",
    ),
    (
        Sense::Type(InfoType::FranceNir),
        "nir sécuritésociale numérosécuritésociale numérodesécuritésociale nss numérosécu \
         sécu",
    ),
    (Sense::Type(InfoType::Passport), "passeport numéropasseport"),
    (
        Sense::Personal(DataClass::GovernmentId),
        "permisconduire permisdeconduire carteidentité cartedidentité cni numérofiscal",
    ),
    (
        Sense::Type(InfoType::MedicalTerm),
        "diagnostic maladie maladies médicament médicaments groupesanguin handicap",
    ),
    (Sense::Type(InfoType::Username), "identifiant pseudo nomutilisateur"),
    (Sense::Type(InfoType::DeviceId), "numérosérie numérodesérie"),
    (Sense::Type(InfoType::MeterId), "compteur numérocompteur pdl prm pce pointdelivraison"),
    (Sense::Type(InfoType::LicensePlateNumber), "immatriculation plaqueimmatriculation plaque"),
    (Sense::Type(InfoType::VehicleIdentificationNumber), "numérochâssis numérodechâssis châssis"),
    (Sense::Note, "remarque remarques commentaire commentaires observation observations objet"),
    (
        Sense::Person,
        "cliente locataire propriétaire abonné abonnée titulaire utilisateur destinataire \
         bénéficiaire assuré assurée salarié personne employé médecin élève conducteur \
         occupant adhérent expéditeur demandeur",
    ),
    (
        Sense::Personal(DataClass::Identity),
        "contrat dossier matricule nclient nadhérent nabonné ndossier situationfamiliale métier",
    ),
    (Sense::Personal(DataClass::Financial), "salaire revenu revenus"),
    (Sense::Personal(DataClass::OnlineId), "motdepasse mdp"),
    (Sense::Name, "nom noms"),
    (Sense::Number, "numéro numéros référence clé valeur"),
    (Sense::Date, "date jour"),
    (Sense::Filler, "de du des d la le les l et ou au aux sur pour par ancien nouveau actuel"),
    (Sense::Question, "est"),
];
