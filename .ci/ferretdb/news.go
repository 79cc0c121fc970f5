package main

// When a cursor is asked again: when there may be something, and not too often. FerretDB reads the whole collection each
// time, and the cursors of many nodes would leave it no time for anything else.

import (
	"sync"
	"time"

	"github.com/FerretDB/wire"
)

var isNews = map[string]bool{"insert": true, "drop": true, "dropDatabase": true, "killCursors": true}

var news = struct {
	sync.Mutex
	// Closed at the next news of the database.
	byDatabase map[string]chan struct{}
}{byDatabase: map[string]chan struct{}{}}

func nextNews(database string) <-chan struct{} {
	news.Lock()
	defer news.Unlock()
	next := news.byDatabase[database]
	if next == nil {
		next = make(chan struct{})
		news.byDatabase[database] = next
	}
	return next
}

func tellNews(database string) {
	news.Lock()
	defer news.Unlock()
	if next := news.byDatabase[database]; next != nil {
		close(next)
		delete(news.byDatabase, database)
	}
}

// A cursor whose question took long is asked less often.
const restsPerQuestion = 4

type cursorRests struct {
	sync.Mutex
	untilByCursor map[int64]time.Time
}

var rests = cursorRests{untilByCursor: map[int64]time.Time{}}

func (r *cursorRests) begin(cursor int64, took time.Duration) {
	r.Lock()
	defer r.Unlock()
	r.untilByCursor[cursor] = time.Now().Add(restsPerQuestion * took)
}

func (r *cursorRests) left(cursor int64) time.Duration {
	r.Lock()
	defer r.Unlock()
	return time.Until(r.untilByCursor[cursor])
}

// The database of a command, and the cursor that it asks for more, if it does.
func placeOf(body wire.MsgBody) (database string, cursor int64) {
	message, ok := body.(*wire.OpMsg)
	if !ok {
		return "", 0
	}
	document, err := message.RawSection0().Decode()
	if err != nil {
		return "", 0
	}
	database, _ = document.Get("$db").(string)
	cursor, _ = document.Get("getMore").(int64)
	return database, cursor
}
