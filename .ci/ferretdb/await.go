package main

// FerretDB's waiting for new documents of a capped collection loses those that come when the time is nearly over: it has
// taken them, looks once more, and then answers that there are none. So its cursors are told not to wait, and are asked
// again and again here instead.

import (
	"bufio"
	"time"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"
)

// At the latest; sooner if something was written.
const betweenQuestions = 100 * time.Millisecond

// withoutWaiting takes out of a command what makes FerretDB wait, and says how long there is to wait instead.
func withoutWaiting(document *wirebson.Document) (changed bool, wait time.Duration) {
	switch document.Command() {
	case "find":
		if document.Get("awaitData") == nil {
			return false, 0
		}
		document.Remove("awaitData")
		return true, 0
	case "getMore":
		milliseconds := document.Get("maxTimeMS")
		if milliseconds == nil {
			return false, 0
		}
		document.Remove("maxTimeMS")
		document.Remove("batchSize") // the store asks for one by one, and each answer costs a look through all
		return true, durationOf(milliseconds)
	}
	return false, 0
}

func durationOf(milliseconds any) time.Duration {
	switch n := milliseconds.(type) {
	case int32:
		return time.Duration(n) * time.Millisecond
	case int64:
		return time.Duration(n) * time.Millisecond
	case float64:
		return time.Duration(n) * time.Millisecond
	}
	return 0
}

// answer is the first one that holds documents, or the last one before the time is over.
func answer(to *bufio.Writer, from *bufio.Reader, header *wire.MsgHeader, body wire.MsgBody, wait time.Duration) (*wire.MsgHeader, wire.MsgBody, error) {
	if wait == 0 {
		return roundTrip(to, from, header, body)
	}
	deadline := time.Now().Add(wait)
	database, cursor := placeOf(body)
	for {
		time.Sleep(min(rests.left(cursor), time.Until(deadline)))
		next := nextNews(database) // before the question: what comes meanwhile is not missed
		asked := time.Now()
		header, body, err := roundTrip(to, from, header, body)
		rests.begin(cursor, time.Since(asked))
		if err != nil || !isEmptyBatch(body) || time.Now().After(deadline) {
			return header, body, err
		}
		select {
		case <-next:
		case <-time.After(min(betweenQuestions, time.Until(deadline))):
		}
	}
}

func isEmptyBatch(body wire.MsgBody) bool {
	message, ok := body.(*wire.OpMsg)
	if !ok {
		return false
	}
	raw, err := message.RawDocument()
	if err != nil {
		return false
	}
	document, err := raw.DecodeDeep()
	if err != nil {
		return false
	}
	cursor, ok := document.Get("cursor").(*wirebson.Document)
	if !ok {
		return false
	}
	batch, ok := cursor.Get("nextBatch").(*wirebson.Array)
	return ok && batch.Len() == 0
}
