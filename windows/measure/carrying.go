package measure

// carrying is the number of rows that bring a number.
var carrying = &Algebra{Columns: []Column{{Lift: func(int64) int64 { return 1 }}}}
