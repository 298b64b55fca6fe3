// Package rehearsal plays a business to the rules that come with Tidewatch, months of it
// in minutes: what they say while all is well, and how long they take to say what is
// wrong. Its tests run the real engine in line (app.Replica), which judges the rules at
// every close, as the service does.
//
// The business is small, about four events a second, with four channels. Its days and
// weeks have their rhythm; it grows; days, hours and minutes are busier or quieter than
// others; there are the sales and holidays of a Chinese year. A run is a function of its
// seed.
package rehearsal
