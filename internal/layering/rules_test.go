package layering

// module is this module's path.
const module = "github.com/tidewatch/tidewatch"

// upstream names, for every package of the module, the packages of the module
// that it may import. What these import is in their own rows, so the table
// holds for everything that a package reaches.
var upstream = map[string][]string{
	// What people write, and what is shown to them, in one way wherever.
	"internal/document":   {"internal/spelling"},
	"internal/spelling":   {},
	"internal/exposition": {},
	"internal/redact":     {},

	// Bytes and tables.
	"internal/access":  {},
	"internal/codec":   {},
	"internal/hashmap": {},
	"internal/space":   {},

	"kpi":              {"internal/document", "internal/spelling"},
	"stream":           {"kpi", "internal/codec"},
	"stream/jetstream": {"kpi", "stream", "internal/access", "internal/redact", "internal/space"},

	// The engine: its rooms in the order of the data's way, and its face.
	"windows/sample":  {"kpi"},
	"windows/measure": {"kpi", "windows/sample"},
	"windows/plan":    {"kpi", "stream", "windows/measure", "internal/hashmap"},
	"windows/page":    {"internal/codec"},
	"windows/roster":  {"internal/codec"},
	"windows/step":    {"kpi", "stream", "windows/plan", "windows/roster", "internal/codec", "internal/hashmap"},
	"windows/carry":   {"stream", "windows/plan", "internal/codec", "internal/hashmap"},
	"windows/journey": {"kpi", "stream", "windows/plan", "windows/carry", "internal/codec", "internal/hashmap"},
	"windows/users": {
		"kpi", "stream", "windows/plan", "windows/carry", "windows/journey", "windows/roster", "windows/step", "windows/page",
		"internal/codec", "internal/hashmap",
	},
	"windows/history": {"kpi", "windows/roster", "internal/codec"},
	"windows/merge": {
		"kpi", "stream", "windows/measure", "windows/plan", "windows/users", "windows/roster", "windows/step", "windows/page", "windows/history", "windows/sample",
		"internal/codec", "internal/hashmap",
	},
	"windows": {
		"kpi", "stream", "windows/plan", "windows/users", "windows/step", "windows/merge", "windows/page",
		"windows/history", "windows/sample",
	},

	"state":               {"kpi", "stream", "windows/history", "windows/roster", "internal/access", "internal/codec", "internal/space"},
	"alerts":              {"alerts/reason", "kpi", "windows/sample", "internal/document", "internal/expression", "internal/spelling"},
	"alerts/contribution": {"alerts", "kpi", "windows/sample"},
	"alerts/reason":       {},
	"alerts/routing":      {},
	"alerts/inhibition":   {},
	"alerts/silences":     {},
	"alerts/history":      {"alerts", "alerts/reason"},
	"alerts/alertmanager": {"alerts", "alerts/delivery", "alerts/silences"},
	"alerts/delivery": {
		"alerts", "alerts/delivery/message", "alerts/delivery/robot", "alerts/history", "alerts/inhibition", "alerts/reason", "alerts/routing", "alerts/silences", "kpi",
		"internal/courier", "internal/document", "internal/exposition", "internal/redact", "internal/retry", "internal/signature", "internal/spelling",
	},
	"alerts/delivery/message": {"alerts", "alerts/reason", "kpi"},
	"alerts/delivery/robot":   {"alerts", "alerts/delivery/message", "alerts/reason"},
	"dashboards":              {"internal/accept"},
	"dashboards/grafana/look": {"kpi"},
	"dashboards/grafana":      {"kpi", "internal/document", "internal/expression", "dashboards/grafana/look"},

	// Grafana's data source: a client that Grafana starts.
	"dashboards/grafana/plugin/pkg":        {"dashboards/grafana/plugin/pkg/plugin"},
	"dashboards/grafana/plugin/pkg/plugin": {"dashboards/grafana/plugin/pkg/client", "dashboards/grafana/look", "kpi", "internal/retry", "internal/spelling"},
	"dashboards/grafana/plugin/pkg/client": {"kpi", "internal/retry", "internal/spelling"},

	"internal/api":    {"internal/accept", "internal/backtest", "kpi", "stream", "windows/sample", "state", "alerts", "alerts/delivery", "alerts/history", "internal/document", "internal/exposition", "internal/expression", "internal/queryable", "internal/spelling"},
	"internal/config": {"kpi", "stream", "internal/document", "internal/expression", "internal/redact", "internal/signature", "internal/spelling"},
	"internal/app": {
		"kpi", "stream", "stream/jetstream", "windows", "windows/plan", "windows/users", "windows/step", "windows/merge", "windows/page",
		"windows/history", "windows/roster", "windows/sample", "state", "alerts", "alerts/alertmanager", "alerts/contribution", "alerts/delivery", "alerts/history", "alerts/reason", "dashboards",
		"internal/api", "internal/backtest", "internal/config", "internal/document", "internal/exposition", "internal/expression", "internal/queryable", "internal/redact", "internal/remote", "internal/signals", "internal/space", "internal/spelling",
	},
	"internal/signals": {"stream/jetstream", "internal/config", "internal/courier", "internal/exposition", "internal/retry", "internal/signature"},
	"internal/remote":  {"internal/config", "internal/courier", "internal/document", "internal/exposition", "internal/expression", "internal/queryable", "internal/redact", "internal/retry"},

	// What reads or answers Prometheus' language.
	"internal/expression": {},
	"internal/ruletest":   {"kpi", "windows/sample", "alerts", "internal/document", "internal/expression", "internal/queryable"},
	"internal/queryable":  {"kpi", "windows/sample", "internal/document", "internal/expression", "internal/spelling"},
	"internal/backtest":   {"kpi", "windows/sample", "alerts", "internal/expression", "internal/queryable"},

	// What answers over HTTP reads in one way what a client takes.
	"internal/accept": {},

	// What speaks to others waits, and signs, in the same way.
	"internal/retry":     {},
	"internal/courier":   {"internal/retry"},
	"internal/signature": {"internal/document"},

	// Clients: they know the service by its HTTP and its stream alone, and read
	// times and texts as it does.
	"internal/generate": {},
	"internal/send":     {"kpi", "stream", "internal/document", "internal/redact", "internal/retry", "internal/spelling"},
	"internal/demo":     {"internal/generate", "internal/send"},

	// Measures the parts together, from outside and from inside.
	"internal/bench": {"stream/jetstream", "internal/app", "internal/config", "internal/generate", "internal/send"},

	// An independent opinion: it shares the definitions, and no aggregator.
	"internal/oracle": {"kpi"},

	// Scripts and random cases drive the wired engine, and hold it to the oracle.
	"internal/scenario": {
		"kpi", "stream", "windows/sample", "alerts", "alerts/delivery",
		"internal/app", "internal/config", "internal/oracle", "internal/spelling",
	},
	"internal/differential": {},
	"internal/rehearsal":    {},

	"cmd/tidewatch": {
		"kpi", "stream", "dashboards", "dashboards/grafana", "alerts", "alerts/delivery", "internal/app", "internal/backtest", "internal/config", "internal/document",
		"internal/demo", "internal/generate", "internal/send", "internal/ruletest", "internal/scenario", "internal/redact", "internal/spelling",
	},

	// Tests and nothing else.
	"internal/acceptance":        {},
	"internal/chats":             {},
	"internal/endtoend":          {},
	"internal/expression/random": {},
	"internal/visits":            {},
	"internal/layering":          {},
	"internal/openapi":           {},
}

// Packages from outside the module. A name stands for the packages below it too.
var (
	broker = []string{"github.com/nats-io", "github.com/synadia-io"}
	store  = []string{"github.com/dgraph-io/badger"}
	web    = []string{"net/http"}
	logs   = []string{"log", "github.com/rs/zerolog"}
)

// engine is the face and the rooms of the engine.
var engine = []string{
	"windows", "windows/plan", "windows/carry", "windows/journey", "windows/users", "windows/step", "windows/merge", "windows/page", "windows/history",
	"windows/roster", "windows/sample", "windows/measure",
}

// A ban keeps packages out of what others reach.
type ban struct {
	from    []string
	what    []string
	because string
	// direct looks at the package's own imports alone: libraries may use among
	// themselves what our code must not.
	direct bool
}

var bans = []ban{
	{
		from: append([]string{"kpi", "stream"}, engine...), what: broker,
		because: "events come as bytes; which broker carried them is stream/jetstream's to know",
	},
	{
		from: []string{"state", "alerts", "alerts/delivery", "internal/api"}, what: broker,
		because: "a position is a number here; the broker behind it is wired in internal/app",
	},
	{
		from: append([]string{"kpi", "stream", "stream/jetstream"}, engine...), what: store,
		because: "state is built on these and is the only importer of Badger",
	},
	{
		from: []string{"internal/demo", "internal/send", "internal/generate"}, what: store,
		because: "clients are joined to the service by HTTP and the stream alone",
	},
	{
		from: append([]string{"kpi", "stream"}, engine...), what: web,
		because: "HTTP is internal/api's; below it nothing is asked or answered over a network",
	},
	{
		from: []string{"alerts"}, what: []string{"net/http", "os", "io/fs", "path/filepath", "math/rand", "math/rand/v2"}, direct: true,
		because: "rules decide by what they are shown; files are read by whoever names them, and alerts/delivery sends",
	},
	{
		from: []string{"state"}, what: web, direct: true,
		because: "Badger brings HTTP for its metrics; state itself answers to Go alone",
	},
	{
		from: append([]string{"kpi", "stream"}, engine...), what: logs, direct: true,
		because: "a function of its input has nothing to log: it returns it",
	},
	{
		from: append([]string{"kpi", "stream"}, engine...), what: []string{"os", "io/fs", "path/filepath", "net", "os/exec", "syscall"}, direct: true,
		because: "no I/O: bytes and columns come in, values go out",
	},
	{
		from: append([]string{"kpi", "stream"}, engine...), what: []string{"math/rand", "math/rand/v2", "crypto/rand"}, direct: true,
		because: "the same stream gives the same result",
	},
	{
		from: engine, what: []string{"sync"}, direct: true,
		because: "one goroutine owns a partition: there is nobody to lock out",
	},
}

// owners are the only direct importers of what they wrap.
var owners = []struct {
	what    []string
	owners  []string
	because string
}{
	{store, []string{"state"}, "one place knows how Badger behaves"},
	{[]string{"github.com/nats-io/nats-server"}, []string{"stream/jetstream"}, "one place embeds the broker"},
	{broker, []string{"stream/jetstream", "internal/send"}, "the broker is behind one package, and the client that publishes to it"},
	{[]string{"go.yaml.in/yaml"}, []string{"internal/document", "internal/api", "internal/bench"}, "mistakes of those who write files are told, anchors and merge keys understood, in one way"},
	{[]string{"github.com/santhosh-tekuri/jsonschema"}, []string{"internal/openapi"}, "tests hold answers to schemas; the service writes what it writes"},
	{[]string{"github.com/RoaringBitmap/roaring"}, []string{"windows/roster"}, "sets of users are one package's to know"},
	{[]string{"github.com/prometheus/alertmanager"}, []string{"alerts/alertmanager", "alerts/delivery", "alerts/inhibition", "alerts/routing", "alerts/silences"}, "who is told what, and when, is theirs to know"},
	{[]string{"github.com/VictoriaMetrics/metrics"}, []string{"alerts/delivery", "internal/api", "internal/app", "internal/remote", "internal/signals", "state", "stream/jetstream"}, "what is measured is decided outside the engine"},
	{[]string{"github.com/grafana/grafana-plugin-sdk-go"}, []string{"dashboards/grafana/plugin/pkg", "dashboards/grafana/plugin/pkg/plugin"}, "Grafana is one package's to know; the client is of Tidewatch alone"},
	{[]string{"github.com/alecthomas/kong", "github.com/schollz/progressbar"}, []string{"cmd/tidewatch"}, "flags and terminals are main's"},
}
