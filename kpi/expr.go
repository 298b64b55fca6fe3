package kpi

// An Expr is a filter or a number in it, as a tree. Comparisons and logic give
// a truth value; a comparison with a field that the event does not carry is
// false, whichever its operator, and so is its negation's operand: not (x > 1)
// is true for an event without x.
type Expr struct {
	Op   ExprOp
	Args []*Expr
	// Field is the name of a Text or Number field.
	Field string
	// Text is the constant of TextConst.
	Text string
	// Number is the constant of NumberConst, in millionths.
	Number int64
}

// ExprOp is the operator of a node.
type ExprOp uint8

// The operators.
const (
	// Truth values.
	And     ExprOp = iota // any number of arguments
	Or                    // any number of arguments
	Not                   // one argument
	TextEq                // a TextField and TextConsts: equal to one of them
	Eq                    // two numbers
	Ne                    // two numbers
	Lt                    // two numbers
	Le                    // two numbers
	Gt                    // two numbers
	Ge                    // two numbers
	Present               // the event carries Field

	// Numbers, in millionths.
	NumberField
	NumberConst
	Add // two numbers
	Sub // two numbers
	Mul // two numbers, one of them a constant
	Min // two numbers
	Max // two numbers

	// Texts.
	TextField
	TextConst
)
