package send

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tidewatch/tidewatch/stream"
)

// open gives the events of all files in the order in which they are sent.
func (s *sending) open() (Reader, func(), error) {
	var ahead int64
	if s.ShiftToNow && !s.Sort {
		if err := s.readTwice(); err != nil {
			return nil, nil, err
		}
		last, err := s.lastTime()
		if err != nil {
			return nil, nil, err
		}
		ahead = time.Now().UnixMilli() - last
	}
	events, closeFiles, err := s.merged(s.Read)
	if err != nil {
		return nil, nil, err
	}
	if s.Sort {
		if events, err = Sort(events, MaxSorted, s.badRow); err != nil {
			closeFiles()
			return nil, nil, err
		}
		if all := *events.(*sorted); s.ShiftToNow && len(all) > 0 {
			ahead = time.Now().UnixMilli() - all[len(all)-1].Time
		}
	}
	if s.ShiftToNow {
		events = &shifted{events, ahead, newTimes()}
	}
	return events, closeFiles, nil
}

// readTwice refuses what is read once and then is empty: standard input, pipes.
func (s *sending) readTwice() error {
	for _, path := range s.Files {
		name := path
		if path == "-" {
			name = "standard input"
		} else if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() || info.IsDir() {
			continue // what is wrong with it is told by Open
		}
		return fmt.Errorf("shift to now: %s cannot be read twice: add --sort, or give a file", name)
	}
	return nil
}

func (s *sending) merged(read func(n int)) (Reader, func(), error) {
	var readers []Reader
	var closers []io.Closer
	closeAll := func() {
		for _, c := range closers {
			c.Close()
		}
	}
	for _, path := range s.Files {
		r, c, err := Open(path, s.Map, read)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		readers, closers = append(readers, r), append(closers, c)
	}
	return Merge(readers...), closeAll, nil
}

// lastTime reads all files once for the latest time in them.
func (s *sending) lastTime() (int64, error) {
	events, closeFiles, err := s.merged(nil)
	if err != nil {
		return 0, err
	}
	defer closeFiles()
	var last int64
	for {
		e, err := events.Next()
		var row *RowError
		switch {
		case errors.As(err, &row): // shown when it is met again
		case errors.Is(err, io.EOF):
			return last, nil
		case err != nil:
			return 0, err
		default:
			last = max(last, e.Time)
		}
	}
}

// shifted moves the times of a reader.
type shifted struct {
	Reader
	ms    int64
	times *stream.Decoder
}

func (s *shifted) Next() (Event, error) {
	e, err := s.Reader.Next()
	if err != nil {
		return e, err
	}
	return shift(s.times, e, s.ms), nil
}

func (s *sending) badRow(e *RowError) {
	s.rows += int64(e.Lost)
	s.rowErrors++
	if len(s.badRows) < shown {
		s.badRows = append(s.badRows, e.Error())
	}
}

// next is the next event of a reader, behind rows that cannot be read.
func (s *sending) next(r Reader) (Event, error) {
	for {
		e, err := r.Next()
		var row *RowError
		if !errors.As(err, &row) {
			if err == nil && s.Pseudonyms != nil {
				e.Line = s.Pseudonyms.Append(nil, e.Line)
			}
			return e, err
		}
		s.badRow(row)
	}
}
