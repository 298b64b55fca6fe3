package delivery

// A turn is one's at a time. Who waits for it waits durably, as virtual time has it: it goes
// on while a disk hangs.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take() { t <- struct{}{} }

func (t turn) leave() { <-t }
