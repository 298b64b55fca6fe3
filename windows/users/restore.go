package users

import (
	"fmt"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/step"
)

// restoring is what a partition has read of an epoch and takes in at Resume.
type restoring struct {
	// seen are by slice the entries of the journal, as encodeSlice has them.
	seen     map[uint32][]seenEntries
	open     []openTable
	waiting  []waitingActivity
	origins  []lateOrigin
	absences map[uint32][]absence

	originTexts *carry.Reading
}

// journeyPages are what an epoch has of the followers, until ReadOn.
type journeyPages struct {
	texts  []*carry.Reading // by follower
	shards []journeyPage
	deltas [][]byte // what of the journal's sections is theirs, in order
}

// A journeyPage is what an epoch has of a shard's users, of whom there are so many, by a
// follower.
type journeyPage struct {
	follower, shard, users int
	data                   []byte
}

type seenEntries struct {
	audience int
	n        uint64
	data     []byte
}

// A waitingActivity is an activity with the codes of its labels.
type waitingActivity struct {
	activity
	codes []uint32
}

// An openTable is the encoded table of one set and slice.
type openTable struct {
	slice int64
	set   int
	data  []byte
}

func (p *Partition) resuming() *restoring {
	if p.restoring == nil {
		p.begin()
		p.restoring = &restoring{seen: map[uint32][]seenEntries{}, absences: map[uint32][]absence{}}
		if p.origins != nil {
			p.restoring.originTexts = carry.NewReading(p.origins, p.plan.Text)
		}
		p.journeys = &journeyPages{}
		for _, f := range p.followers {
			f.book.Load()
			p.journeys.texts = append(p.journeys.texts, carry.NewReading(f.texts, p.plan.Text))
		}
	}
	return p.restoring
}

// LoadShard reads a page of users, if the shard is the partition's, and of the pages
// of names what it goes on with.
func (p *Partition) LoadShard(s int, data []byte, pages page.Pages) error {
	sh := p.shards[s]
	if sh == nil {
		return nil
	}
	r := codec.NewReader(data)
	p.resuming()
	base := &p.bases[s]
	base.number, base.sealed = r.Uint64(), int64(r.Uint64())
	n := int(r.Uvarint())
	for range n {
		if r.Err() != nil {
			return r.Err()
		}
		hash := r.Uint64()
		at, fresh := uint32(sh.n), true
		if hash == 0 {
			sh.push(0)
		} else {
			at, fresh = sh.find(hash)
		}
		if !fresh {
			return fmt.Errorf("shard %d has user %x twice", s, hash)
		}
		sh.setDays(at, loadDays(r))
	}
	if p.facts != nil {
		if err := sh.names.load(n, func(number uint64) ([]string, error) { return segment(pages, s, number) }); err != nil {
			return fmt.Errorf("names of shard %d: %w", s, err)
		}
		p.holdOutAll(s, n, pages)
	}
	if p.origins != nil {
		p.loadOrigins(r, sh)
	}
	for i := range p.followers {
		data, err := pages.Get(page.Journeys, uint32(s), uint64(i))
		if err != nil {
			return fmt.Errorf("journeys of shard %d: %w", s, err)
		}
		if data != nil {
			p.journeys.shards = append(p.journeys.shards, journeyPage{i, s, n, data})
		}
	}
	loadIdentities(r, sh)
	p.loadSignals(r, sh)
	for range r.Count(mergeBytes) {
		sh.merges = append(sh.merges, readMerge(r))
	}
	for range r.Count(heirBytes) {
		sh.heirs.add(readHeir(r))
	}
	for i := range p.audiences {
		if err := p.loadMembers(r, sh, i); err != nil {
			return err
		}
	}
	for r.Len() > 0 {
		row, track, code := r.Uint32(), int(r.Uint32()), r.Uint32()
		sh.over.Set(overOf(row, track, code), r.Uint32())
	}
	return r.Err()
}

func loadDays(r *codec.Reader) row {
	activity, days := r.Uint64(), r.Uint32()
	return row{activity: activity, last: uint16(days), first: uint16(days >> 16)}
}

// loadMembers reads what encodeMembers wrote.
func (p *Partition) loadMembers(r *codec.Reader, sh *shard, number int) error {
	a := p.audiences[number]
	numbers := make([]uint32, 1, 64)
	for range r.Count(len(a.slots)) {
		for k := range a.slots {
			a.codes[k] = uint32(r.Uvarint())
		}
		if r.Err() != nil {
			return r.Err()
		}
		numbers = append(numbers, a.labels.number(a.codes))
	}
	for range r.Uvarint() {
		at, place, newest := uint32(r.Uvarint()), r.Uvarint(), r.Uint32()
		if r.Err() != nil {
			return r.Err()
		}
		if at >= uint32(sh.n) || place >= uint64(len(numbers)) {
			r.Fail()
			return r.Err()
		}
		m := sh.member(number, at)
		m.newest, m.labels = newest, numbers[place]
		a.labels.take(m.labels)
	}
	return nil
}

// LoadDelta reads the section that checkpoint number added to a journal of user
// deltas. Sections come in order, after the shards. data is kept until Resume.
func (p *Partition) LoadDelta(number uint64, data []byte) error {
	r, into := codec.NewReader(data), p.resuming()
	mine := func(ref uint32) bool {
		s := ref >> 24
		if p.shards[s] == nil || p.bases[s].number >= number {
			return false
		}
		p.bases[s].changed = true
		return true
	}
	for range r.Uvarint() {
		ref := r.Uint32()
		if sh := p.shards[ref>>24]; r.Err() == nil && mine(ref) && ref&0xffffff < uint32(sh.n) {
			sh.release(ref&0xffffff, 0) // the day is among those that changed
			if p.facts != nil {
				sh.names.set(int(ref&0xffffff), nil)
			}
			p.purging = true
		}
	}
	for range r.Uvarint() {
		ref, hash := r.Uint32(), r.Uint64()
		var name []byte
		if p.facts != nil {
			name = r.Bytes(r.Uvarint())
		}
		if r.Err() != nil || !mine(ref) {
			continue
		}
		if err := p.place(ref, hash, name); err != nil {
			return err
		}
	}
	for range r.Uvarint() {
		second, audience, n, size := r.Uint32(), int(r.Uvarint()), r.Uvarint(), r.Uint32()
		data := r.Bytes(uint64(size))
		if audience >= len(p.audiences) {
			r.Fail()
		}
		if r.Err() != nil {
			return r.Err()
		}
		into.seen[second] = append(into.seen[second], seenEntries{audience, n, data})
	}
	for range r.Uvarint() {
		ref, days := r.Uint32(), loadDays(r)
		if r.Err() == nil && mine(ref) {
			p.shards[ref>>24].setDays(ref&0xffffff, days)
		}
	}
	for range r.Uvarint() {
		ref := r.Uint32()
		o := p.readOrigin(r)
		if r.Err() == nil && mine(ref) {
			*p.shards[ref>>24].originAt(ref & 0xffffff) = o
		}
	}
	for range r.Uvarint() {
		ref, names := r.Uint32(), r.Texts()
		if r.Err() == nil && mine(ref) {
			p.shards[ref>>24].setIdentities(ref&0xffffff, names)
		}
	}
	for range r.Uvarint() {
		ref := r.Uint32()
		t := p.readSignals(r)
		if r.Err() != nil {
			return r.Err()
		}
		if mine(ref) {
			p.shards[ref>>24].setSignals(ref&0xffffff, t)
		}
	}
	for range r.Count(mergeBytes) {
		if m := readMerge(r); r.Err() == nil && mine(m.Into) {
			p.shards[m.Into>>24].merges = append(p.shards[m.Into>>24].merges, m)
		}
	}
	for range r.Count(heirBytes) {
		if h := readHeir(r); r.Err() == nil && mine(h.ref) {
			p.shards[h.ref>>24].heirs.add(h)
		}
	}
	p.journeys.deltas = append(p.journeys.deltas, r.Rest())
	return r.Err()
}

// place takes in a new row of the journal, of nobody any more without a hash.
func (p *Partition) place(ref uint32, hash uint64, name []byte) error {
	sh, at := p.shards[ref>>24], ref&0xffffff
	if hash == 0 {
		if at == uint32(sh.n) {
			sh.push(0)
			sh.leaveTo(at, 0, 0)
		}
	} else {
		if at < uint32(sh.n) && sh.row(at).hash == 0 {
			p.vacate(ref)
		}
		if !sh.place(at, hash) {
			return fmt.Errorf("user %x cannot be row %d of shard %d", hash, at, ref>>24)
		}
	}
	if p.facts != nil {
		sh.names.set(int(at), name)
		p.holdOut(sh, at, name)
	}
	return nil
}

// LoadOpen reads a page of what is open. Any partition may take over the sums of
// a; each takes what waits of its own users.
func (p *Partition) LoadOpen(a uint32, data []byte) error {
	r, into := codec.NewReader(data), p.resuming()
	for range r.Uvarint() {
		second := r.Varint()
		for i, s := range p.plan.Sums {
			if table := step.Skip(s, r); table != nil && int(a)%p.of == p.index {
				into.open = append(into.open, openTable{second, i, table})
			}
		}
		if r.Err() != nil {
			return r.Err()
		}
	}
	for range r.Uvarint() {
		w := waitingActivity{activity: activity{audience: uint32(r.Uvarint()), ref: r.Uint32(), second: r.Uint32()}}
		if int(w.audience) >= len(p.audiences) {
			r.Fail()
		}
		if r.Err() != nil {
			return r.Err()
		}
		for range p.audiences[w.audience].slots {
			w.codes = append(w.codes, uint32(r.Uvarint()))
		}
		if p.shards[w.ref>>24] != nil {
			into.waiting = append(into.waiting, w)
		}
	}
	for range r.Uvarint() {
		l := lateOrigin{ref: r.Uint32(), second: r.Uint32()}
		l.origin = p.readOrigin(r)
		if r.Err() != nil {
			return r.Err()
		}
		if p.shards[l.ref>>24] != nil {
			into.origins = append(into.origins, l)
		}
	}
	for range r.Uvarint() {
		ref, a := r.Uint32(), absence{r.Uint64(), int32(r.Uint32()), int32(r.Uint32())}
		if r.Err() != nil {
			return r.Err()
		}
		if p.shards[ref>>24] != nil {
			into.absences[ref] = append(into.absences[ref], a)
		}
	}
	for i := range p.followers {
		p.loader(i).Late(r, func(ref uint32) bool { return p.shards[ref>>24] != nil })
	}
	for _, f := range p.followers { // all partitions have the same
		if rfm, is := f.rules.(*journey.RFM); is && rfm.Daily() {
			rfm.ReadCuts(r)
		}
	}
	return r.Err()
}

// loader reads what a follower has.
func (p *Partition) loader(i int) journey.Loader {
	return journey.Loader{Book: p.followers[i].book, Texts: p.journeys.texts[i]}
}

// ReadOn takes in, behind Resume, what was read of journeys. No answer follows from it,
// but whatever else the partition does.
func (p *Partition) ReadOn() error {
	read := p.journeys
	if read == nil {
		return nil
	}
	for _, s := range read.shards {
		if err := p.loader(s.follower).Shard(s.shard, s.users, s.data); err != nil {
			return fmt.Errorf("journeys of shard %d: %w", s.shard, err)
		}
	}
	wanted := func(ref, second uint32) bool {
		if p.shards[ref>>24] == nil {
			return false
		}
		base := &p.bases[ref>>24]
		base.note(second)
		return int64(second) >= base.sealed
	}
	for _, data := range read.deltas {
		r := codec.NewReader(data)
		for i := range p.followers {
			p.loader(i).Fresh(r, wanted)
		}
		if r.Err() != nil {
			return fmt.Errorf("journeys: %w", r.Err())
		}
	}
	p.resumeJourneys()
	p.journeys = nil
	return nil
}
