package stream

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// Limits of a message and of one event.
const (
	// MaxMessage bounds what a message may hold once it is decompressed, in
	// bytes.
	MaxMessage = 64 << 20
	// MaxRows bounds the events of a message: empty ones take little room in
	// it but much in the columns.
	MaxRows = 1 << 20
	// MaxEvent bounds the JSON text of an event, in bytes.
	MaxEvent = 256 << 10
	// MaxText bounds ids and texts that are kept, in bytes of unescaped text.
	MaxText = 256
	// maxDepth bounds the nesting of an event.
	maxDepth = 100
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

// userless reports whether events of the type belong to no user.
func userless(typ []byte) bool {
	return slices.ContainsFunc(kpi.Userless, func(t string) bool { return t == string(typ) })
}

// takes is the values that a kind of field allows.
func takes(k kpi.Kind) kinds {
	switch k {
	case kpi.KindText, kpi.KindCurrency:
		return ids
	case kpi.KindInteger, kpi.KindNumber:
		return numbers
	case kpi.KindLabel:
		return texts | numbers
	case kpi.KindFlag:
		return flags
	default:
		return scalars | 1<<kindNested
	}
}

// A field is a slot of the decoder: a name, what it holds, and the columns
// that want it (-1: none).
type field struct {
	name   string
	kind   kpi.Kind
	text   int
	number int
	// id says that it tells apart what an event is part of, unless it stands for none.
	id bool
	// takes is the kinds that may stand here; bounds those that must be within
	// kpi.MaxNumber, measures those whose text must be within MaxText.
	takes, bounds, measures kinds
}

// deriveChecks derives what is checked from the kind and the columns.
func (f *field) deriveChecks() {
	f.takes = takes(f.kind)
	if f.text >= 0 {
		f.measures = scalars
	}
	if f.number >= 0 {
		f.bounds = numbers
	}
	switch f.kind {
	case kpi.KindText, kpi.KindCurrency:
		f.measures |= texts | numbers
	case kpi.KindLabel:
		f.measures |= texts
		f.bounds |= numbers
	case kpi.KindInteger, kpi.KindNumber:
		f.bounds |= numbers
	}
}

// fieldsOf lists the slots for a schema: the envelope, the fields with a
// meaning, then the schema's own.
func fieldsOf(s Schema) []field {
	var fields []field
	slots := map[string]int{}
	slot := func(name string) *field {
		i, ok := slots[name]
		if !ok {
			i = len(fields)
			slots[name] = i
			fields = append(fields, field{name: name, kind: kpi.KindOf(name), text: -1, number: -1, id: kpi.Reference(name)})
		}
		return &fields[i]
	}
	for _, name := range envelope {
		slot(name).kind = kpi.KindProperty // each is checked by itself
	}
	for _, f := range kpi.Fields {
		slot(f.Name)
	}
	for i, name := range s.Text {
		slot(name).text = i
	}
	for i, name := range s.Number {
		slot(name).number = i
	}
	for i := range fields {
		fields[i].deriveChecks()
	}
	return fields
}

// A directory finds the slot of a key by its first sixteen bytes, which are two words: one
// more than a key of a hashmap.Map has.
type directory struct {
	entries []entry // a hash table, and behind it one that no key is
	shift   uint
	names   map[string]int // every name, for keys that are long or escaped
	at      []int32        // the entry of a slot
	next    []int32        // the entry of the key that last came after a slot's
}

// An entry is a key of less than sixteen bytes, with its closing quote.
type entry struct {
	lo, hi         uint64
	loMask, hiMask uint64
	len            int32
	slot           int32
}

// is reports whether a text that starts with these words starts with the key.
func (e *entry) is(lo, hi uint64) bool { return (lo&e.loMask^e.lo)|(hi&e.hiMask^e.hi) == 0 }

func newDirectory(fields []field) directory {
	d := directory{shift: 64 - 6, names: map[string]int{}, at: make([]int32, len(fields)), next: make([]int32, len(fields)+2)}
	for 1<<(64-d.shift) < 4*len(fields) {
		d.shift--
	}
	size := 1 << (64 - d.shift)
	d.entries = make([]entry, size+1)
	d.entries[size] = entry{lo: 1} // under an empty mask
	for i := range d.at {
		d.at[i] = int32(size)
	}
	for i := range d.next {
		d.next[i] = int32(size)
	}
	for slot, f := range fields {
		if slot == slotNone {
			continue
		}
		d.names[f.name] = slot
		if n := len(f.name); n < 16 {
			var word, mask [16]byte
			copy(word[:], f.name+`"`)
			for i := range mask[:n+1] {
				mask[i] = 0xff
			}
			e := entry{load(word[:], 0), load(word[:], 8), load(mask[:], 0), load(mask[:], 8), int32(n), int32(slot)}
			i := d.home(e.lo, e.hi)
			for d.entries[i].slot != slotNone {
				i = (i + 1) & (size - 1)
			}
			d.entries[i], d.at[slot] = e, int32(i)
		}
	}
	return d
}

func (d *directory) home(lo, hi uint64) int {
	return int(((lo ^ hi*0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93) >> d.shift)
}

// find is the slot of a key with its closing quote, padded with zeros.
func (d *directory) find(lo, hi uint64) int {
	for i := d.home(lo, hi); ; i++ {
		e := &d.entries[i&(len(d.entries)-2)]
		if e.slot == slotNone || e.lo == lo && e.hi == hi {
			return int(e.slot)
		}
	}
}
