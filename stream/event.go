package stream

import "github.com/tidewatch/tidewatch/kpi"

// Limits of one event.
const (
	// MaxEvent bounds the JSON text of an event, in bytes.
	MaxEvent = 256 << 10
	// MaxText bounds ids and texts that are kept, in bytes of unescaped text.
	MaxText = 256
	// maxDepth bounds the nesting of an event.
	maxDepth = 100
)

// A role is what the product knows of a field, and so what it checks.
type role uint8

const (
	roleProperty role = iota // anything
	roleText                 // a string or an integer
	roleInteger              // a whole number
	roleNumber               // a number
	roleLabel                // a string or a number
	roleFlag                 // true or false
)

// Slots of the fields that make an event one. They are read at the top level
// only. Slot 0 takes every key that nobody asks for.
const (
	slotNone = iota
	slotID
	slotTime
	slotType
	slotUser
	slotAnonymous
	slotProps
	slotFields
)

var envelope = [slotFields]string{"", "id", "time", "type", "user_id", "anonymous_id", "props"}

// known are the fields with a meaning of their own.
var known = []struct {
	role  role
	names []string
}{
	{roleText, []string{"session_id", "channel", "region", "device", "content_id", "creator_id", "campaign_id",
		"variant", "currency", "order_id", "direction"}},
	{roleInteger, []string{"watch_ms", "duration_ms", "position_ms", "dwell_ms", "response_ms", "amount_minor"}},
	{roleNumber, []string{"score"}},
	{roleLabel, []string{"sentiment"}},
	{roleFlag, []string{"completed"}},
}

// userless are the types of events that belong to no user.
func userless(typ []byte) bool { return string(typ) == "ad_cost" || string(typ) == "settle" }

// A field is a slot of the decoder: a name, what is checked, and the columns
// that want it (-1: none).
type field struct {
	name   string
	role   role
	text   int
	number int
}

// fieldsOf lists the slots for a schema: the envelope, the known fields, then
// the schema's own.
func fieldsOf(s Schema) []field {
	var fields []field
	slots := map[string]int{}
	slot := func(name string, r role) *field {
		i, ok := slots[name]
		if !ok {
			i = len(fields)
			slots[name] = i
			fields = append(fields, field{name: name, role: r, text: -1, number: -1})
		}
		return &fields[i]
	}
	for _, name := range envelope {
		slot(name, roleProperty)
	}
	for _, k := range known {
		for _, name := range k.names {
			slot(name, k.role)
		}
	}
	for i, name := range s.Text {
		slot(name, roleOf(name)).text = i
	}
	for i, name := range s.Number {
		slot(name, roleOf(name)).number = i
	}
	return fields
}

func roleOf(name string) role {
	if kpi.Integer(name) {
		return roleInteger
	}
	return roleProperty
}

// A directory finds the slot of a key by its length and first sixteen bytes.
type directory struct {
	entries []entry
	shift   uint
	names   map[string]int // every name, for keys that are long or escaped
}

type entry struct {
	lo, hi uint64
	len    int32
	slot   int32
}

func newDirectory(fields []field) directory {
	d := directory{shift: 64 - 6, names: map[string]int{}}
	for 1<<(64-d.shift) < 4*len(fields) {
		d.shift--
	}
	d.entries = make([]entry, 1<<(64-d.shift))
	for slot, f := range fields {
		if slot == slotNone {
			continue
		}
		d.names[f.name] = slot
		if len(f.name) > 16 {
			continue
		}
		var word [16]byte
		copy(word[:], f.name)
		lo, hi := load(word[:], 0), load(word[:], 8)
		i := d.home(lo, hi)
		for d.entries[i].slot != slotNone {
			i = (i + 1) & (len(d.entries) - 1)
		}
		d.entries[i] = entry{lo, hi, int32(len(f.name)), int32(slot)}
	}
	return d
}

func (d *directory) home(lo, hi uint64) int {
	return int(((lo ^ hi*0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93) >> d.shift)
}

// find is the slot of a key of at most sixteen bytes, padded with zeros.
func (d *directory) find(lo, hi uint64, n int) int {
	for i := d.home(lo, hi); ; i++ {
		e := &d.entries[i&(len(d.entries)-1)]
		if e.slot == slotNone || e.lo == lo && e.hi == hi && int(e.len) == n {
			return int(e.slot)
		}
	}
}
