package kpi

// EventTypes are the types of events that the product knows. Others are
// accepted, and can be used in definitions.
var EventTypes = []string{
	"session_start", "session_end", "page_view", "impression", "click", "play", "play_start", "play_progress", "play_end",
	"like", "unlike", "comment", "share", "follow", "unfollow", "favourite", "add_to_cart", "order", "pay", "refund", "cancel",
	"settle", "ad_cost", "survey_nps", "survey_csat", "complaint", "message", Identify,
}

// Identify is the type of events that say which user an anonymous id is of.
const Identify = "identify"

// Userless are those that belong to no user.
var Userless = []string{"ad_cost", "settle"}
