package stream

// A Reason is why a row is quarantined, as one word of the ledger.
type Reason uint8

// The reasons, in the order in which they are tried on one event.
const (
	ReasonNone Reason = iota

	// Of a message.
	ReasonBadEncoding
	ReasonBinary
	ReasonNotFramed

	// Of an event.
	ReasonTooLarge
	ReasonNotJSON
	ReasonNotAnObject
	ReasonMissingID
	ReasonMissingTime
	ReasonTimeInSeconds
	ReasonBadTime
	ReasonMissingType
	ReasonMissingUser
	ReasonPlaceholderID
	ReasonWrongType
	ReasonBadNumber
	ReasonBadCurrency
	ReasonNoCurrency
	reasons
)

var reasonWords = [reasons]string{
	"none", "bad_encoding", "binary", "not_framed", "too_large", "not_json", "not_an_object",
	"missing_id", "missing_time", "time_in_seconds", "bad_time", "missing_type", "missing_user",
	"placeholder_id", "wrong_type", "bad_number", "bad_currency", "no_currency",
}

// String is the ledger's word for the reason.
func (r Reason) String() string { return reasonWords[r] }
