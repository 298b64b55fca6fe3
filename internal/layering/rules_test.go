package layering

// module is this module's path.
const module = "github.com/tidewatch/tidewatch"

// upstream names, for every package of the module, the packages of the module
// that it may import. What these import is in their own rows, so the table
// holds for everything that a package reaches.
var upstream = map[string][]string{
	"kpi":              {},
	"stream":           {"kpi"},
	"stream/jetstream": {"kpi", "stream"},

	"state":           {"kpi", "stream", "windows"},
	"alerts":          {"kpi", "stream", "windows", "state", "internal/retry"},
	"dashboards":      {},
	"internal/api":    {"kpi", "stream", "windows", "state", "alerts"},
	"internal/config": {},
	"internal/app": {
		"kpi", "stream", "stream/jetstream", "windows", "windows/plan", "windows/users", "windows/step", "windows/merge", "windows/page",
		"windows/history", "windows/sample", "state", "alerts", "dashboards", "internal/api", "internal/config",
	},

	// The engine: its face, and its rooms in the order of the data's way.
	"windows": {
		"kpi", "stream", "windows/plan", "windows/users", "windows/step", "windows/merge", "windows/page",
		"windows/history", "windows/sample",
	},
	"windows/plan":  {"kpi", "stream", "windows/measure"},
	"windows/users": {"kpi", "stream", "windows/plan", "windows/step", "windows/page", "internal/codec", "internal/hashmap"},
	"windows/step":  {"kpi", "stream", "windows/plan", "internal/codec"},
	"windows/merge": {
		"kpi", "stream", "windows/plan", "windows/users", "windows/step", "windows/page", "windows/history", "windows/sample",
		"internal/codec", "internal/hashmap",
	},
	"windows/measure": {"kpi", "windows/sample"},
	"windows/page":    {"internal/codec"},
	"windows/history": {"kpi", "internal/codec"},
	"windows/sample":  {"kpi"},

	// Bytes and tables.
	"internal/codec":   {},
	"internal/hashmap": {},

	// What speaks to others waits in the same way.
	"internal/retry": {},

	// Clients: they know the service by its HTTP and its stream alone.
	"internal/generate": {},
	"internal/send":     {"internal/retry"},
	"internal/demo":     {"internal/generate", "internal/send"},

	// Measures the parts together, from outside and from inside.
	"internal/bench": {"stream/jetstream", "internal/app", "internal/config", "internal/generate", "internal/send"},

	// An independent opinion: it shares the definitions, and no aggregator.
	"internal/oracle": {"kpi"},

	// Scripts drive the wired engine, and hold it to the oracle.
	"internal/scenario": {
		"kpi", "stream", "windows", "alerts",
		"internal/api", "internal/app", "internal/config", "internal/oracle",
	},

	"cmd/tidewatch": {
		"kpi", "dashboards", "alerts", "internal/app", "internal/config",
		"internal/demo", "internal/generate", "internal/send", "internal/scenario",
	},

	// Tests and nothing else.
	"internal/acceptance": {},
	"internal/endtoend":   {},
	"internal/layering":   {},
}

// Packages from outside the module. A name stands for the packages below it too.
var (
	broker = []string{"github.com/nats-io", "github.com/synadia-io"}
	store  = []string{"github.com/dgraph-io/badger"}
	web    = []string{"net/http"}
	logs   = []string{"log", "github.com/rs/zerolog"}
)

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
		from: []string{"kpi", "stream", "windows"}, what: broker,
		because: "events come as bytes; which broker carried them is stream/jetstream's to know",
	},
	{
		from: []string{"state", "alerts", "internal/api"}, what: broker,
		because: "a position is a number here; the broker behind it is wired in internal/app",
	},
	{
		from: []string{"kpi", "stream", "stream/jetstream", "windows"}, what: store,
		because: "state is built on these and is the only importer of Badger",
	},
	{
		from: []string{"internal/demo", "internal/send", "internal/generate"}, what: store,
		because: "clients are joined to the service by HTTP and the stream alone",
	},
	{
		from: []string{"kpi", "stream", "windows"}, what: web,
		because: "HTTP is internal/api's; below it nothing is asked or answered over a network",
	},
	{
		from: []string{"state"}, what: web, direct: true,
		because: "Badger brings HTTP for its metrics; state itself answers to Go alone",
	},
	{
		from: []string{"kpi", "stream", "windows"}, what: logs, direct: true,
		because: "a function of its input has nothing to log: it returns it",
	},
	{
		from: []string{"kpi", "stream", "windows"}, what: []string{"os", "io/fs", "path/filepath", "net", "os/exec", "syscall"}, direct: true,
		because: "no I/O: bytes and columns come in, values go out",
	},
	{
		from: []string{"kpi", "stream", "windows"}, what: []string{"math/rand", "math/rand/v2", "crypto/rand"}, direct: true,
		because: "the same stream gives the same result",
	},
	{
		from: []string{"windows"}, what: []string{"sync"}, direct: true,
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
	{[]string{"github.com/VictoriaMetrics/metrics"}, []string{"alerts", "internal/api", "internal/app", "state", "stream/jetstream"}, "what is measured is decided outside the engine"},
	{[]string{"github.com/alecthomas/kong", "github.com/schollz/progressbar"}, []string{"cmd/tidewatch"}, "flags and terminals are main's"},
}
