// Package spelling finds the word that somebody may have meant, and counts in words.
package spelling

import (
	"fmt"
	"math"
	"strings"
)

// Nearest is the word among those given that is closest to the one written, ""
// when none is close: it differs in case and underscores only, or by one slip
// where the longer of the two has at least four letters, or by two where it has
// at least seven. A slip is a letter too much, too few or another, or two that
// changed places.
func Nearest(word string, among []string) string {
	near, least := "", math.MaxInt
	for _, w := range among {
		if d := distance(plain(word), plain(w)); d < least && d <= slips(max(len(word), len(w))) {
			near, least = w, d
		}
	}
	return near
}

// Meant puts the question whether a near word was meant before a remedy.
// Without one, "", the remedy stays as it is.
func Meant(near, remedy string) string {
	if near == "" {
		return remedy
	}
	return "did you mean " + near + "? " + strings.ToUpper(remedy[:1]) + remedy[1:]
}

// Number is a number of something, in English.
func Number[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// slips is how many slips a word of n letters may have.
func slips(n int) int {
	switch {
	case n < 4:
		return 0
	case n < 7:
		return 1
	}
	return 2
}

func plain(word string) string { return strings.ToLower(strings.ReplaceAll(word, "_", "")) }

// distance is the optimal string alignment distance, in bytes.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			other := last[j]
			if a[i] != b[j] {
				other++
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, other)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
