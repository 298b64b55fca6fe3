// Package differential holds the engine to the oracle on what nobody thought
// of: random definitions, timings, zones and streams, with epochs, crashes and
// restarts with another number of partitions in between. Its tests ask the real
// HTTP side of app.Replica and compare every answer with what the log says.
//
// Some are of what every service keeps, over two months of the simulated shop.
//
// A case is a function of its seed. One that fails is made as small as it can
// be and printed as a scenario script.
package differential
