package sample

// Maturity is how much of what is expected of a business day is in: of Of facts of days
// that are final, In became known within as long as the day has been over for. Of a day
// that is final it is all. Without any facts it is not known.
type Maturity struct{ In, Of int64 }

// Final is the maturity of a day that nothing changes any more.
var Final = Maturity{1, 1}

// Share is the maturity, from 0 to 1.
func (m Maturity) Share() (share float64, known bool) {
	if m.Of == 0 {
		return 0, false
	}
	return float64(m.In) / float64(m.Of), true
}
