package main

// What FerretDB does otherwise than mongod, mended between it and its clients:
//
//   - an update reads and then writes, so that two at once both win: writes wait for one another;
//   - an index with expireAfterSeconds is refused: it is created without. Nothing is removed by it, as mongod does not
//     within a minute either;
//   - waiting for documents of a capped collection loses some: see await.go.

import (
	"bufio"
	"errors"
	"log"
	"net"
	"sync"
	"time"

	"github.com/FerretDB/wire"
	"github.com/FerretDB/wire/wirebson"
)

var writes sync.Mutex

var isWrite = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true, "findandmodify": true,
	"create": true, "createIndexes": true, "drop": true, "dropDatabase": true,
}

func accept(listener net.Listener, socket string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("unix", socket)
			if err != nil {
				log.Print(err)
				return
			}
			defer server.Close()
			if err := relay(client, server); err != nil && !errors.Is(err, wire.ErrZeroRead) {
				log.Print(err)
			}
		}()
	}
}

func relay(client, server net.Conn) error {
	fromClient, fromServer := bufio.NewReader(client), bufio.NewReader(server)
	toClient, toServer := bufio.NewWriter(client), bufio.NewWriter(server)
	for {
		header, body, err := wire.ReadMessage(fromClient)
		if err != nil {
			return err
		}
		header, body, wait, err := mend(header, body)
		if err != nil {
			return err
		}
		header, body, err = answer(toServer, fromServer, header, body, wait)
		if err != nil {
			return err
		}
		if err := send(toClient, header, body); err != nil {
			return err
		}
	}
}

func roundTrip(to *bufio.Writer, from *bufio.Reader, header *wire.MsgHeader, body wire.MsgBody) (*wire.MsgHeader, wire.MsgBody, error) {
	if isWrite[commandOf(body)] {
		writes.Lock()
		defer writes.Unlock()
	}
	if isNews[commandOf(body)] {
		database, _ := placeOf(body)
		defer tellNews(database)
	}
	if err := send(to, header, body); err != nil {
		return nil, nil, err
	}
	return wire.ReadMessage(from)
}

func send(to *bufio.Writer, header *wire.MsgHeader, body wire.MsgBody) error {
	if err := wire.WriteMessage(to, header, body); err != nil {
		return err
	}
	return to.Flush()
}

func commandOf(body wire.MsgBody) string {
	message, ok := body.(*wire.OpMsg)
	if !ok {
		return ""
	}
	document, err := message.RawSection0().Decode()
	if err != nil {
		return ""
	}
	return document.Command()
}

// mend changes a command before FerretDB has it, and says how long to wait for documents here.
func mend(header *wire.MsgHeader, body wire.MsgBody) (*wire.MsgHeader, wire.MsgBody, time.Duration, error) {
	switch commandOf(body) {
	case "createIndexes", "find", "getMore":
	default:
		return header, body, 0, nil
	}
	raw, err := body.(*wire.OpMsg).RawDocument()
	if err != nil {
		return nil, nil, 0, err
	}
	document, err := raw.DecodeDeep()
	if err != nil {
		return nil, nil, 0, err
	}
	changed, wait := withoutWaiting(document)
	if !withoutExpiry(document) && !changed {
		return header, body, 0, nil
	}
	message, err := wire.NewOpMsg(document)
	if err != nil {
		return nil, nil, 0, err
	}
	bytes, err := message.MarshalBinary()
	if err != nil {
		return nil, nil, 0, err
	}
	mended := *header
	mended.MessageLength = int32(wire.MsgHeaderLen + len(bytes))
	return &mended, message, wait, nil
}

func withoutExpiry(document *wirebson.Document) bool {
	indexes, ok := document.Get("indexes").(*wirebson.Array)
	if !ok {
		return false
	}
	for index := range indexes.Values() {
		if index, ok := index.(*wirebson.Document); ok {
			index.Remove("expireAfterSeconds")
		}
	}
	return true
}
