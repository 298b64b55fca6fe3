package users

import "slices"

// observe notes that a member was active in a slice, with labels.
func (p *Partition) observe(number int, ref uint32, m *member, second, labels uint32) {
	a := p.audiences[number]
	if second > m.newest && (labels == m.labels || m.newest == 0) {
		s := p.sliceOf(number, second)
		a.labels.take(labels)
		place, e := a.add(s)
		if m.entry == place { // stale
			m.entry = 0
		}
		*e = entry{ref: ref, older: m.entry, labels: labels, back: s.back(m.newest)}
		p.unsave(s)
		before := m.newest
		if m.labels != labels {
			a.labels.take(labels)
			m.labels = labels
		}
		m.newest, m.entry = second, place
		if int64(second) < p.head {
			p.lateWith(number, ref, second, labels, before, 0)
		}
		return
	}
	if labels != m.labels || second < m.newest && !p.observeBetween(number, ref, m, second, labels) {
		p.observeAmong(number, ref, m, second, labels)
		a.labels.release(labels)
	}
}

// observeBetween is observe for an activity that comes out of order among others
// with the same labels, as most that do. It reports whether it is one.
func (p *Partition) observeBetween(number int, ref uint32, m *member, second, labels uint32) bool {
	a := p.audiences[number]
	for place := m.entry; ; {
		e := a.at(place)
		if e.labels != labels || e.back&apart != 0 {
			return false
		}
		after := a.second(place)
		before := uint32(0)
		if e.back != 0 {
			before = after - e.back
		}
		switch {
		case before == second:
			return true
		case before > second:
			place = e.older
			continue
		}
		older := e.older
		if !a.holds(older, ref, after) {
			older = 0
		} else if a.second(older) >= second { // with other labels
			return false
		}
		e.back = after - second
		p.again(number, a.slice(after), place)
		s := p.sliceOf(number, second)
		a.labels.take(labels)
		place, added := a.add(s)
		*added = entry{ref: ref, older: older, labels: labels, back: s.back(before)}
		e.older = place
		p.unsave(s)
		if int64(second) < p.head {
			p.lateWith(number, ref, second, labels, before, after)
		}
		return true
	}
}

// lateWith takes a late activity into all tracks of an audience.
func (p *Partition) lateWith(number int, ref, second, labels, before, after uint32) {
	a := p.audiences[number]
	p.waiting = append(p.waiting, activity{uint32(number), ref, labels, second})
	for k := range a.tracks {
		p.late(number, k, ref, a.code(labels, &a.tracks[k]), int64(second), int64(before), int64(after))
	}
}

// observeAmong is observe for an activity that is not the newest, or has other
// labels: each track has its own slice before and after it.
func (p *Partition) observeAmong(number int, ref uint32, m *member, second, labels uint32) {
	a, over := p.audiences[number], &p.shards[ref>>24].over
	fresh := false
	for k := range a.tracks {
		var known bool
		if a.before[k], a.after[k], known = p.neighbours(number, k, ref, m, second, labels); known {
			a.before[k] = second
		} else {
			fresh = true
		}
	}
	if !fresh {
		return
	}
	for k := range a.tracks {
		t := &a.tracks[k]
		was, code := a.code(m.labels, t), a.code(labels, t)
		switch {
		case code == was: // the member has it, as that of the newest slice
		case second < m.newest:
			if a.before[k] != second && a.after[k] == 0 {
				over.Set(overOf(ref, t.number, code), second)
			}
		default:
			if a.before[k] != 0 {
				over.Delete(overOf(ref, t.number, code))
			}
			if was != 0 && !p.forgotten(t, m.newest) {
				over.Set(overOf(ref, t.number, was), m.newest)
			}
		}
	}
	if second >= m.newest && labels != m.labels {
		a.labels.take(labels)
		if m.labels != 0 {
			a.labels.drop(m.labels)
		}
		m.labels = labels
	}
	m.newest = max(m.newest, second)
	s := p.enter(number, ref, m, second, labels)
	if int64(second) >= p.head {
		return
	}
	p.waiting = append(p.waiting, activity{uint32(number), ref, labels, second})
	for k := range a.tracks {
		if a.before[k] != s.second {
			p.late(number, k, ref, a.code(labels, &a.tracks[k]), int64(second), int64(a.before[k]), int64(a.after[k]))
		}
	}
}

// neighbours are the slices before and after it in which the member was active in
// a track with the label (0: none). The one after, if there is one, has it as that
// before from then on.
func (p *Partition) neighbours(number, k int, ref uint32, m *member, second, labels uint32) (before, after uint32, known bool) {
	a := p.audiences[number]
	t := &a.tracks[k]
	code, last := a.code(labels, t), m.newest
	if code != a.code(m.labels, t) {
		last, _ = p.shards[ref>>24].over.Get(overOf(ref, t.number, code))
	}
	place := m.entry
	for last > second {
		e := a.at(place)
		s := a.slice(a.second(place))
		detail := s.detail(e, len(a.tracks))
		if s.second != last || a.code(e.labels, t) != code || detail != nil && detail[k] == last {
			place = e.older
			continue
		}
		older := s.before(e)
		if detail != nil {
			older = detail[k]
		}
		if older < second {
			if detail == nil {
				detail = s.split(e, len(a.tracks))
			}
			detail[k] = second
			p.again(number, s, place)
			return older, last, false
		}
		last = older
	}
	return last, 0, last == second
}

// split lets an entry have a slice before for each track.
func (s *slice) split(e *entry, tracks int) []uint32 {
	before, begin := s.before(e), len(s.details)
	for range tracks {
		s.details = append(s.details, before)
	}
	e.back = apart | uint32(begin)
	return s.details[begin:]
}

// enter puts an entry among those of the member, whose tracks have the slices
// before that the audience was just found to have.
func (p *Partition) enter(number int, ref uint32, m *member, second, labels uint32) *slice {
	a, s := p.audiences[number], p.sliceOf(number, second)
	link, newest := &m.entry, m.newest
	for a.holds(*link, ref, newest) && a.second(*link) >= second {
		newest = a.second(*link)
		link = &a.at(*link).older
	}
	older := *link
	if !a.holds(older, ref, newest) {
		older = 0
	}
	a.labels.take(labels)
	place, e := a.add(s)
	*e = entry{ref: ref, older: older, labels: labels}
	*link = place
	if alike(a.before) && a.before[0] != second {
		e.back = s.back(a.before[0])
	} else {
		e.back = apart | uint32(len(s.details))
		s.details = append(s.details, a.before...)
	}
	p.unsave(s)
	return s
}

func alike(list []uint32) bool {
	for _, n := range list[1:] {
		if n != list[0] {
			return false
		}
	}
	return true
}

// forgotten reports whether the slice is behind every window and day that can
// still change.
func (p *Partition) forgotten(t *track, second uint32) bool {
	return int64(second)+t.longest+2*86400 < p.sealed
}

// sliceOf is where the audience's entries of a second are.
func (p *Partition) sliceOf(number int, second uint32) *slice {
	a := p.audiences[number]
	if s := a.slice(second); s != nil {
		return s
	}
	if int64(second) >= p.head {
		if i, ok := slices.BinarySearch(p.openUsers, int64(second)); !ok {
			p.openUsers = slices.Insert(p.openUsers, i, int64(second))
		}
	}
	return a.begin(second, number)
}

// again has an entry that changed written again, if a checkpoint has it.
func (p *Partition) again(number int, s *slice, place uint32) {
	if p.audiences[number].saved(s, place) {
		s.again = append(s.again, place)
		p.unsave(s)
	}
}
