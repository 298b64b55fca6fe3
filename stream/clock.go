package stream

import "encoding/binary"

// Bounds of event times, in Unix milliseconds.
const (
	minTime = 94_694_400_000    // 1973-01-01
	endTime = 4_291_747_200_000 // 2106-01-01
	// seconds is the bound below which an integer must be seconds.
	seconds = 100_000_000_000
)

// A clock reads RFC 3339 times. It remembers the last date, which most events
// share with the one before.
type clock struct {
	year, day uint64 // the text "2026-11-22" as words: bytes 0 to 8, 2 to 10
	midnight  int64
}

// parse reads a time as Unix milliseconds, further digits dropped.
func (c *clock) parse(b []byte) (ms int64, ok bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[10]|0x20 != 't' {
		return 0, false
	}
	year, day := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[2:])
	if year != c.year || day != c.day || year == 0 {
		midnight, ok := date(b)
		if !ok {
			return 0, false
		}
		c.year, c.day, c.midnight = year, day, midnight
	}
	hour, minute, ok := hourMinute(b[11:16])
	second, ok2 := twoDigits(b[17:19], 60)
	if !ok || !ok2 || b[16] != ':' {
		return 0, false
	}
	ms = c.midnight + int64(hour*3600+minute*60+second)*1000

	i := 19
	if b[i] == '.' {
		i++
		start := i
		for weight := int64(100); i < len(b) && b[i]-'0' <= 9; i++ {
			ms += int64(b[i]-'0') * weight
			weight /= 10
		}
		if i == start {
			return 0, false
		}
	}
	switch rest := b[i:]; {
	case len(rest) == 1 && rest[0]|0x20 == 'z':
		return ms, true
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-'):
		hour, minute, ok := hourMinute(rest[1:])
		offset := int64(hour*60+minute) * 60_000
		if rest[0] == '-' {
			offset = -offset
		}
		return ms - offset, ok
	}
	return 0, false
}

// hourMinute reads "15:04".
func hourMinute(b []byte) (hour, minute int, ok bool) {
	hour, ok = twoDigits(b, 24)
	minute, ok2 := twoDigits(b[3:], 60)
	return hour, minute, ok && ok2 && b[2] == ':'
}

// twoDigits reads a number of two digits below the limit.
func twoDigits(b []byte, limit int) (n int, ok bool) {
	tens, units := b[0]-'0', b[1]-'0'
	n = int(tens)*10 + int(units)
	return n, tens <= 9 && units <= 9 && n < limit
}

// date reads "2006-01-02", from 1970, as the Unix milliseconds of its midnight
// in UTC.
func date(b []byte) (ms int64, ok bool) {
	century, ok1 := twoDigits(b, 100)
	years, ok2 := twoDigits(b[2:], 100)
	month, ok3 := twoDigits(b[5:], 13)
	day, ok4 := twoDigits(b[8:], 32)
	year := century*100 + years
	if !ok1 || !ok2 || !ok3 || !ok4 || b[4] != '-' || b[7] != '-' || year < 1970 || month == 0 || day == 0 {
		return 0, false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days++
	}
	if day > days {
		return 0, false
	}
	// Days since 0000-03-01, in years that begin in March and so end on the
	// leap day; 719468 of them lie before 1970.
	if month < 3 {
		year--
		month += 12
	}
	n := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
	return int64(n) * 86_400_000, true
}
