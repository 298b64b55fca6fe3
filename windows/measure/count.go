package measure

// count is the number of rows.
var count = &Algebra{Columns: []Column{{}}}
