package kpi

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The codes of ISO 4217: those of its list of 2026-01-01 (the Ccy in SIX's
// list-one.xml), and those that were withdrawn, for old records.
const (
	activeCurrencies = `
	AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
	CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
	HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD
	MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN
	PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
	TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD
	XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG`
	withdrawnCurrencies = `
	ADP AFA ALK ANG AOK AON AOR ARA ARP ATS AZM BAD BEC BEF BEL BGL BGN BOP BRB BRC BRE BRN BRR BUK BYB BYR CSD CSK
	CUC CYP DDM DEM ECS ECV EEK ESA ESB ESP FIM FRF GEK GHC GNS GQE GRD GWE GWP HRD HRK IEP ILP ILR ISJ ITL LTL LTT
	LUC LUF LUL LVL LVR MGF MLF MRO MTL MTP MXP MZE MZM NIC NLG PEI PES PLZ PTE RHD ROL RUR SDD SDP SIT SKK SLL
	SRG STD SUR TJR TMM TPE TRL UAK UGS USS UYP VEB VEF XEU XFO XFU XRE YDD YUD YUM YUN YUR ZAL ZMK ZRN ZRZ ZWD ZWL
	ZWR`
)

// currencies has a bit for each code.
var currencies = func() (set [(26*26*26 + 63) / 64]uint64) {
	for code := range strings.FieldsSeq(activeCurrencies + withdrawnCurrencies) {
		i := currencyIndex([]byte(code))
		set[i>>6] |= 1 << (i & 63)
	}
	return set
}()

// IsCurrency reports whether a text is a code of ISO 4217, in capitals.
func IsCurrency(b []byte) bool {
	i := currencyIndex(b)
	return i >= 0 && currencies[i>>6]>>(i&63)&1 != 0
}

// The currencies with other minor units than hundredths, by how many decimals they have.
// What ISO 4217 gives none, such as gold, is taken in hundredths, too.
var minorDigits = map[int]string{
	0: "ADP BIF BYR CLP DJF ESP GNF ISK ITL JPY KMF KRW LUF MGF PYG RWF TMM TRL UGX UYI VND VUV XAF XOF XPF",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
}

// MinorUnits is how many minor units a unit of the currency has: 100 of CNY, 1 of JPY.
func MinorUnits(code string) int64 {
	for digits, codes := range minorDigits {
		if slices.Contains(strings.Fields(codes), code) {
			return int64(math.Pow10(digits))
		}
	}
	return 100
}

// Apart says how the currencies in a breakdown are told apart: by the set that ask, a
// format, asks for. A set by currency does not do for every ratio: clicks have none.
func (k *KPI) Apart(by Set, ask string) string {
	for _, fields := range []Set{append(slices.Clone(by), CurrencyField), {CurrencyField}} {
		if s, ok := k.SetOf(fields...); ok {
			return fmt.Sprintf(ask, s.Key())
		}
	}
	return fmt.Sprintf(`define one of a single currency, with %s == "CNY" in its filter`, CurrencyField)
}

// currencyIndex numbers the texts of three capitals; -1 for others.
func currencyIndex(b []byte) int {
	if len(b) != 3 {
		return -1
	}
	x, y, z := int(b[0])-'A', int(b[1])-'A', int(b[2])-'A'
	if uint(x) > 25 || uint(y) > 25 || uint(z) > 25 {
		return -1
	}
	return (x*26+y)*26 + z
}
