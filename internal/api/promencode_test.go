package api

import (
	"math"
	"strconv"
	"testing"
)

func TestWholeNumbersAreWrittenLikeOthers(t *testing.T) {
	for _, v := range []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 1e6, 123456789012, 1<<53 - 1, 1 << 53, 1<<53 + 2, -1 << 53, 1e18, 1e20, -1 << 63, 1 << 63, math.NaN(), math.Inf(-1)} {
		if got, want := string(appendShort(nil, v)), strconv.FormatFloat(v, 'f', -1, 64); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
