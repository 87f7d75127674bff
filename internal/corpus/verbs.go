package corpus

// verb is a verb of both languages. The third person plural is the infinitive.
type verb struct {
	english, third, participle                string
	germanThird, infinitive, germanParticiple string
	prefix                                    string // the part that a main clause puts at its end; "" for none
	auxiliary                                 auxiliary
}

// auxiliary is what a verb makes its perfect with.
type auxiliary int

const (
	haben auxiliary = iota
	sein
)

// auxiliaries are the forms of haben and sein in the third person.
var auxiliaries = [...]struct{ singular, plural string }{haben: {"hat", "haben"}, sein: {"ist", "sind"}}

// modal is a modal verb; "will" counts as one.
type modal struct{ english, singular, plural string }

var modals = []modal{
	{"will", "wird", "werden"},
	{"can", "kann", "können"},
	{"must", "muss", "müssen"},
	{"should", "soll", "sollen"},
}

// transitives take an object.
var transitives = []verb{
	{"see", "sees", "seen", "sieht", "sehen", "gesehen", "", haben},
	{"find", "finds", "found", "findet", "finden", "gefunden", "", haben},
	{"buy", "buys", "bought", "kauft", "kaufen", "gekauft", "", haben},
	{"carry", "carries", "carried", "trägt", "tragen", "getragen", "", haben},
	{"clean", "cleans", "cleaned", "putzt", "putzen", "geputzt", "", haben},
	{"paint", "paints", "painted", "malt", "malen", "gemalt", "", haben},
	{"love", "loves", "loved", "liebt", "lieben", "geliebt", "", haben},
	{"hide", "hides", "hidden", "versteckt", "verstecken", "versteckt", "", haben},
	{"open", "opens", "opened", "macht", "machen", "gemacht", "auf", haben},
	{"close", "closes", "closed", "macht", "machen", "gemacht", "zu", haben},
	{"call", "calls", "called", "ruft", "rufen", "gerufen", "an", haben},
	{"view", "views", "viewed", "sieht", "sehen", "gesehen", "an", haben},
	{"fetch", "fetches", "fetched", "holt", "holen", "geholt", "ab", haben},
	{"invite", "invites", "invited", "lädt", "laden", "geladen", "ein", haben},
	{"reject", "rejects", "rejected", "lehnt", "lehnen", "gelehnt", "ab", haben},
	{"take", "takes", "taken", "nimmt", "nehmen", "genommen", "mit", haben},
}

// intransitives take none.
var intransitives = []verb{
	{"sleep", "sleeps", "slept", "schläft", "schlafen", "geschlafen", "", haben},
	{"work", "works", "worked", "arbeitet", "arbeiten", "gearbeitet", "", haben},
	{"laugh", "laughs", "laughed", "lacht", "lachen", "gelacht", "", haben},
	{"sing", "sings", "sung", "singt", "singen", "gesungen", "", haben},
	{"fall", "falls", "fallen", "fällt", "fallen", "gefallen", "", sein},
	{"stay", "stays", "stayed", "bleibt", "bleiben", "geblieben", "", sein},
	{"arrive", "arrives", "arrived", "kommt", "kommen", "gekommen", "an", sein},
	{"leave", "leaves", "left", "geht", "gehen", "gegangen", "weg", sein},
	{"listen", "listens", "listened", "hört", "hören", "gehört", "zu", haben},
	{"dance", "dances", "danced", "tanzt", "tanzen", "getanzt", "", haben},
}

// ditransitives take an object and a recipient.
var ditransitives = []verb{
	{"give", "gives", "given", "gibt", "geben", "gegeben", "", haben},
	{"show", "shows", "shown", "zeigt", "zeigen", "gezeigt", "", haben},
	{"sell", "sells", "sold", "verkauft", "verkaufen", "verkauft", "", haben},
	{"send", "sends", "sent", "schickt", "schicken", "geschickt", "zu", haben},
	{"return", "returns", "returned", "gibt", "geben", "gegeben", "zurück", haben},
	{"read", "reads", "read", "liest", "lesen", "gelesen", "vor", haben},
}

// reporting verbs take a clause.
var reporting = []verb{
	{"say", "says", "said", "sagt", "sagen", "gesagt", "", haben},
	{"know", "knows", "known", "weiß", "wissen", "gewusst", "", haben},
	{"believe", "believes", "believed", "glaubt", "glauben", "geglaubt", "", haben},
	{"hear", "hears", "heard", "hört", "hören", "gehört", "", haben},
	{"admit", "admits", "admitted", "gibt", "geben", "gegeben", "zu", haben},
	{"notice", "notices", "noticed", "merkt", "merken", "gemerkt", "", haben},
}
