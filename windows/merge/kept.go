package merge

import "slices"

// A kept quantity is one of each kept window that is not sealed yet, as changes:
// the value of a window is that of the sealed ones plus all changes up to it.
// Windows are numbered by their end in steps.
type kept struct {
	base    int64
	changes []change // ascending
}

type change struct{ number, n int64 }

// add changes the windows from a number on.
func (k *kept) add(number, n int64) {
	i := len(k.changes)
	if i > 0 && k.changes[i-1].number >= number {
		var ok bool
		i, ok = slices.BinarySearchFunc(k.changes, number, func(c change, number int64) int { return int(c.number - number) })
		if ok {
			k.changes[i].n += n
			return
		}
	}
	k.changes = slices.Insert(k.changes, i, change{number, n})
}

// value is the quantity of a window.
func (k *kept) value(number int64) int64 {
	v := k.base
	for _, c := range k.changes {
		if c.number > number {
			break
		}
		v += c.n
	}
	return v
}

// seal moves the base on to the window and reports whether that changed it.
func (k *kept) seal(number int64) (changed bool) {
	n := 0
	for n < len(k.changes) && k.changes[n].number <= number {
		changed = changed || k.changes[n].n != 0
		k.base += k.changes[n].n
		n++
	}
	if n > 0 {
		k.changes = slices.Delete(k.changes, 0, n)
	}
	return changed
}
