package delivery

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// A mailServer speaks SMTP (RFC 5321) with STARTTLS and AUTH PLAIN.
type mailServer struct {
	t        *testing.T
	address  string
	ca       []byte // PEM
	tls      *tls.Config
	password string
	// answer is the reply to the recipient of the n-th mail, "" to take it.
	answer func(n int) string
	mails  chan mail
	tries  chan int
}

type mail struct{ from, to, text string }

// mailing listens on loopback.
func mailing(t *testing.T) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{t: t, ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), password: "p4ssw0rd", mails: make(chan mail, 10), tries: make(chan int, 10_000),
		tls: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.address = l.Addr().String()
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.tries <- n
			go s.talk(c, n)
		}
	}()
	return s
}

func (s *mailServer) talk(c net.Conn, n int) {
	defer func() { c.Close() }()
	if s.answer != nil && s.answer(n) == "silence" {
		_, _ = c.Read(make([]byte, 1)) // until the other end goes
		return
	}
	in := textproto.NewReader(bufio.NewReader(c))
	say := func(line string) { fmt.Fprint(c, line+"\r\n") }
	say("220 test")
	var m mail
	secure, authorised := false, false
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if secure {
				say("250-test\r\n250 AUTH PLAIN")
			} else {
				say("250-test\r\n250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go on")
			c = tls.Server(c, s.tls)
			in, secure = textproto.NewReader(bufio.NewReader(c)), true
		case "AUTH":
			text, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if authorised = bytes.Equal(text, []byte("\x00alerts\x00"+s.password)); authorised {
				say("235 welcome")
			} else {
				say("535 no, " + string(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
			}
		case "MAIL":
			if m.from = rest; !authorised {
				say("530 who are you?")
				continue
			}
			say("250 yes")
		case "RCPT":
			if m.to = rest; s.answer != nil && s.answer(n) != "" {
				say(s.answer(n))
				continue
			}
			say("250 yes")
		case "DATA":
			say("354 go on")
			text, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			m.text = string(text)
			s.mails <- m
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what?")
		}
	}
}
