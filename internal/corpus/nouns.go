package corpus

// noun is a noun of both languages.
type noun struct {
	english, englishPlural string
	german, germanPlural   string
	gender                 class
}

// persons are subjects, recipients and owners.
var persons = []noun{
	{"man", "men", "Mann", "Männer", masculine},
	{"woman", "women", "Frau", "Frauen", feminine},
	{"child", "children", "Kind", "Kinder", neuter},
	{"boy", "boys", "Junge", "Jungen", masculine},
	{"girl", "girls", "Mädchen", "Mädchen", neuter},
	{"teacher", "teachers", "Lehrer", "Lehrer", masculine},
	{"nurse", "nurses", "Schwester", "Schwestern", feminine},
	{"king", "kings", "König", "Könige", masculine},
	{"aunt", "aunts", "Tante", "Tanten", feminine},
	{"baby", "babies", "Baby", "Babys", neuter},
	{"farmer", "farmers", "Bauer", "Bauern", masculine},
	{"witch", "witches", "Hexe", "Hexen", feminine},
	{"dog", "dogs", "Hund", "Hunde", masculine},
	{"cat", "cats", "Katze", "Katzen", feminine},
	{"horse", "horses", "Pferd", "Pferde", neuter},
	{"cow", "cows", "Kuh", "Kühe", feminine},
	{"bear", "bears", "Bär", "Bären", masculine},
	{"sheep", "sheeps", "Schaf", "Schafe", neuter},
}

// things are objects for the most part.
var things = []noun{
	{"table", "tables", "Tisch", "Tische", masculine},
	{"lamp", "lamps", "Lampe", "Lampen", feminine},
	{"book", "books", "Buch", "Bücher", neuter},
	{"spoon", "spoons", "Löffel", "Löffel", masculine},
	{"fork", "forks", "Gabel", "Gabeln", feminine},
	{"knife", "knives", "Messer", "Messer", neuter},
	{"apple", "apples", "Apfel", "Äpfel", masculine},
	{"pear", "pears", "Birne", "Birnen", feminine},
	{"bread", "breads", "Brot", "Brote", neuter},
	{"ball", "balls", "Ball", "Bälle", masculine},
	{"bottle", "bottles", "Flasche", "Flaschen", feminine},
	{"window", "windows", "Fenster", "Fenster", neuter},
	{"letter", "letters", "Brief", "Briefe", masculine},
	{"door", "doors", "Tür", "Türen", feminine},
	{"picture", "pictures", "Bild", "Bilder", neuter},
	{"car", "cars", "Wagen", "Wagen", masculine},
	{"clock", "clocks", "Uhr", "Uhren", feminine},
	{"shirt", "shirts", "Hemd", "Hemden", neuter},
}

// homonym is an English noun with two German ones: which of them is meant
// depends on the place that the sentence names elsewhere.
type homonym struct {
	english, englishPlural string
	senses                 [domains]sense
}

type sense struct {
	german, germanPlural string
	gender               class
}

var homonyms = []homonym{
	{"bank", "banks", [domains]sense{{"Bank", "Banken", feminine}, {"Ufer", "Ufer", neuter}}},
	{"bat", "bats", [domains]sense{{"Schläger", "Schläger", masculine}, {"Fledermaus", "Fledermäuse", feminine}}},
	{"plant", "plants", [domains]sense{{"Werk", "Werke", neuter}, {"Pflanze", "Pflanzen", feminine}}},
	{"seal", "seals", [domains]sense{{"Siegel", "Siegel", neuter}, {"Robbe", "Robben", feminine}}},
	{"trunk", "trunks", [domains]sense{{"Koffer", "Koffer", masculine}, {"Stamm", "Stämme", masculine}}},
	{"pen", "pens", [domains]sense{{"Stift", "Stifte", masculine}, {"Gehege", "Gehege", neuter}}},
	{"spring", "springs", [domains]sense{{"Feder", "Federn", feminine}, {"Quell", "Quelle", masculine}}},
	{"mole", "moles", [domains]sense{{"Spionin", "Spioninnen", feminine}, {"Maulwurf", "Maulwürfe", masculine}}},
}

// place is a noun that tells the domain.
type place struct {
	english, german string
	gender          class
}

var places = [domains][]place{
	town: {
		{"office", "Büro", neuter},
		{"street", "Straße", feminine},
		{"station", "Bahnhof", masculine},
		{"school", "Schule", feminine},
		{"shop", "Laden", masculine},
		{"hotel", "Hotel", neuter},
	},
	wild: {
		{"forest", "Wald", masculine},
		{"meadow", "Wiese", feminine},
		{"valley", "Tal", neuter},
		{"desert", "Wüste", feminine},
		{"swamp", "Sumpf", masculine},
		{"jungle", "Dschungel", neuter},
	},
}

// Names have a gender in German alone.
var (
	maleNames   = []string{"Adam", "Boris", "Carl", "David", "Emil", "Fritz", "Georg", "Hugo", "Ivan", "Jakob", "Karim", "Leo", "Max", "Nico", "Oskar", "Paul"}
	femaleNames = []string{"Anna", "Berta", "Clara", "Dora", "Eva", "Frida", "Greta", "Hanna", "Ida", "Julia", "Karla", "Lena", "Maria", "Nora", "Olga", "Petra"}
)
