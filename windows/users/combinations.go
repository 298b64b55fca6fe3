package users

import "encoding/binary"

// combinations number the labels that a user has in the keyed tracks of an
// audience: there are far fewer of them than activities. A combination lasts as
// long as a member or an entry has it. Number 0 is that of no labels.
type combinations struct {
	width   int      // keyed tracks
	codes   []uint32 // by number and keyed track: the label's code + 1
	uses    []uint32 // by number: how many have it
	free    []uint32
	numbers map[string]uint32 // by the codes' bytes
	key     []byte
}

func newCombinations(width int) combinations {
	return combinations{width: width, codes: make([]uint32, width), uses: make([]uint32, 1), numbers: map[string]uint32{}}
}

// of are the codes of a combination.
func (c *combinations) of(number uint32) []uint32 {
	return c.codes[int(number)*c.width:][:c.width]
}

// number is that of the codes. Who does not take it releases it.
func (c *combinations) number(codes []uint32) uint32 {
	key := c.keyOf(codes)
	if n, ok := c.numbers[string(key)]; ok {
		return n
	}
	var n uint32
	if last := len(c.free) - 1; last >= 0 {
		n, c.free = c.free[last], c.free[:last]
		copy(c.of(n), codes)
	} else {
		n = uint32(len(c.uses))
		c.codes, c.uses = append(c.codes, codes...), append(c.uses, 0)
	}
	c.numbers[string(key)] = n
	return n
}

func (c *combinations) keyOf(codes []uint32) []byte {
	c.key = c.key[:0]
	for _, code := range codes {
		c.key = binary.LittleEndian.AppendUint32(c.key, code)
	}
	return c.key
}

func (c *combinations) take(number uint32) { c.uses[number]++ }

func (c *combinations) drop(number uint32) {
	c.uses[number]--
	c.release(number)
}

// release forgets a combination that nobody has.
func (c *combinations) release(number uint32) {
	if number != 0 && c.uses[number] == 0 {
		delete(c.numbers, string(c.keyOf(c.of(number))))
		c.free = append(c.free, number)
	}
}
