//! Invented names and places. Upper case, as practices write them; each text obeys the rules of the extract.

pub(super) const SURNAMES: [&str; 40] = [
    "ALDERCROFT",
    "ASHMEAD",
    "BARLEYMAN",
    "BRACKENBY",
    "BROOKHOLT",
    "CINDERFORD-HAY",
    "COPPERTHWAITE",
    "D'ARDENNE",
    "DOVEWELL",
    "DÉLANGE",
    "EASTMERE",
    "ELDERSHAW",
    "FENWICKE",
    "FOXHOLLOW",
    "GARNETBY",
    "GREENSLADE",
    "HARROWGATE",
    "HAZELDEN",
    "IVESON",
    "JESSOPE",
    "KESTRELMAN",
    "KITTIWICK",
    "LARKSPUR",
    "LINDENBERG",
    "MARLPIT",
    "MEADOWCRAFT",
    "NETTLETON",
    "O'FERNLEY",
    "OAKHANGER",
    "PEBBLEWICK",
    "QUILLFEATHER",
    "ROWANBURN",
    "SALTMARSH",
    "SANDERLING",
    "THISTLEDOWN",
    "UNDERBARROW",
    "VAN DER HEIDE",
    "WAGTAIL",
    "WHINCHAT",
    "YARROWBY",
];

pub(super) const FEMALE_FORENAMES: [&str; 20] = [
    "ADELINE", "BRIONY", "CELESTE", "DAPHNE", "ÉLODIE", "FERN", "GWENDA", "HESTER", "ISOLDE", "JUNIPER", "KERENSA",
    "LINNET", "MARIGOLD", "NERYS", "OTTOLINE", "PRIMROSE", "ROSAMUND", "SORREL", "TAMSIN", "WILLA",
];

pub(super) const MALE_FORENAMES: [&str; 20] = [
    "ALARIC",
    "BERTRAM",
    "CASPIAN",
    "DUNSTAN",
    "EDMUND",
    "FLORIAN",
    "GARETH",
    "HUMPHREY",
    "INIGO",
    "JOCELYN",
    "KELVIN",
    "LEOFRIC",
    "MERRICK",
    "NÖEL",
    "OSWIN",
    "PEREGRINE",
    "QUENTIN",
    "RAFE",
    "SILAS",
    "TORQUIL",
];

pub(super) const FEMALE_TITLES: [&str; 5] = ["MRS", "MISS", "MS", "DR", "PROF"];
pub(super) const MALE_TITLES: [&str; 3] = ["MR", "DR", "PROF"];

pub(super) const STREETS: [&str; 24] = [
    "ACORN RISE",
    "BADGER LANE",
    "BLUEBELL WALK",
    "BRIDLE PATH",
    "CANDLEMAKERS ROW",
    "CLOVER BANK",
    "DRAPERS YARD",
    "FALLOW STREET",
    "FERRYMANS QUAY",
    "GOOSE GREEN",
    "HARVEST ROAD",
    "HERONS REACH",
    "KILN TERRACE",
    "LANTERN HILL",
    "MALTINGS CLOSE",
    "MILLRACE VIEW",
    "ORCHARD GATE",
    "PADDOCK WAY",
    "QUARRY AVENUE",
    "ROPEWALK",
    "SHEPHERDS FOLD",
    "ST. OSYTH'S LANE",
    "TANNERY COURT",
    "WEAVERS MEAD",
];

pub(super) const HOUSES: [&str; 8] = [
    "THE OLD GRANARY",
    "FLAT A",
    "FLAT 12",
    "ROSE COTTAGE",
    "CLOCK HOUSE",
    "UNIT 3-B",
    "THE LODGE",
    "TOP FLOOR, NO. 2",
];

pub(super) const LOCALITIES: [&str; 6] =
    ["UPPER MERE", "LITTLE FOLD", "EASTCOTE END", "THE WARREN", "NEWBRIDGE", "HIGHFIELDS"];

pub(super) const TOWNS: [&str; 12] = [
    "ASHBOURNE MAGNA",
    "BRACKENFORD",
    "CALDERMOUTH",
    "DUNSMERE",
    "ELVERTON",
    "FARLOWE",
    "GRIMSWOLD",
    "HOLMHAVEN",
    "INGLEWICK",
    "KELSBRIDGE",
    "LARKHAMPTON",
    "MARSHGATE",
];

pub(super) const COUNTIES: [&str; 5] = ["NORTH MARLSHIRE", "SOUTH MARLSHIRE", "WOLDSHIRE", "FENSHIRE", "THE VALES"];

/// Areas of postcodes that no post office uses.
pub(super) const POSTCODE_AREAS: [&str; 4] = ["ZX", "QX", "XA", "JZ"];
