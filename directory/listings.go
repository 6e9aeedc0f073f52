package directory

import (
	"slices"
	"time"
)

// Listing is one entry of the directory. Its JSON form is the line format of
// import and export, and the document that a store keeps.
type Listing struct {
	ID   string `json:"id"` // UUID, version 7
	Kind Kind   `json:"kind"`

	Names       Names    `json:"names"`
	Aliases     []string `json:"aliases,omitempty"`
	Summary     string   `json:"summary,omitempty"`     // one sentence
	Description string   `json:"description,omitempty"` // plain text
	// Organization is the legal name of who runs it, where known.
	Organization string `json:"organization,omitempty"`
	// OrganizationID is the registered organization that keeps it; empty for
	// listings that nobody has claimed yet.
	OrganizationID string `json:"organization_id,omitempty"`
	// ExternalID is what that organization calls the listing in its own books: no
	// two of its listings have the same.
	ExternalID string `json:"external_id,omitempty"`

	Region   string `json:"region"` // the code of the narrowest division known
	Address  string `json:"address,omitempty"`
	Location *Point `json:"location,omitempty"` // WGS-84; nil where not known
	Phone    string `json:"phone,omitempty"`    // the public service line, never a private number

	Hours      *Hours     `json:"hours,omitempty"`
	Categories []string   `json:"categories,omitempty"` // codes of Categories of the same kind
	Offerings  []Offering `json:"offerings,omitempty"`
	Features   []string   `json:"features,omitempty"` // codes of Features
	Photos     []Photo    `json:"photos,omitempty"`

	Status Status `json:"status"`
	// Revision counts what was published of it; see [Revision].
	Revision int64 `json:"revision,omitempty"`
	// MergedInto is the listing that this one turned out to be; it is archived then.
	MergedInto string `json:"merged_into,omitempty"`
	// VerifiedAt is when its facts were last confirmed, and ReviewDueAt when they
	// have to be again (HSDS calls it the assurance date); nil where nobody can.
	VerifiedAt  *time.Time `json:"verified_at,omitempty"`
	ReviewDueAt *time.Time `json:"review_due_at,omitempty"`
	// Stale says that ReviewDueAt has passed; it ranks lower.
	Stale        bool         `json:"stale,omitempty"`
	Provenance   Provenance   `json:"provenance"`
	Demo         bool         `json:"demo,omitempty"` // invented for demonstration; its name says 示例
	Satisfaction Satisfaction `json:"satisfaction,omitzero"`
	CreatedAt    time.Time    `json:"created_at"`
	UpdatedAt    time.Time    `json:"updated_at"`

	// Exactly the part of the listing's kind may be set.
	Brand           *Brand           `json:"brand,omitempty"`
	ElderCare       *ElderCare       `json:"elder_care,omitempty"`
	Childcare       *Childcare       `json:"childcare,omitempty"`
	DomesticService *DomesticService `json:"domestic_service,omitempty"`
	Street          *Street          `json:"pedestrian_street,omitempty"`
}

// Status is where a listing stands in its life.
type Status string

// The states of a listing. Only published ones are served to the public.
const (
	Draft     Status = "draft"
	Published Status = "published"
	Suspended Status = "suspended" // by an official
	Expired   Status = "expired"   // its facts were not confirmed in time
	Archived  Status = "archived"
)

// Photo is a picture that was uploaded.
type Photo struct {
	ID      string `json:"id"` // hash of its content
	Caption string `json:"caption,omitempty"`
}

// Provenance says where the facts of a listing come from.
type Provenance struct {
	Origin     Origin `json:"origin"`
	Source     string `json:"source,omitempty"`     // the publication, for seed listings
	Confidence string `json:"confidence,omitempty"` // high, medium or low, for seed listings
	Note       string `json:"note,omitempty"`       // what the source leaves uncertain
}

// Origin is how a listing entered the directory.
type Origin string

// The origins of a listing.
const (
	Seeded     Origin = "seed"
	Registered Origin = "registered"
	Imported   Origin = "imported"
)

// Offering is one service with its price range.
type Offering struct {
	Category string `json:"category,omitempty"` // a category of the listing's kind
	Name     string `json:"name"`
	Unit     Unit   `json:"unit"`
	PriceMin int64  `json:"price_min"` // fen
	PriceMax int64  `json:"price_max"` // fen, at least PriceMin
}

// Unit is what a price is for.
type Unit string

// The units of a price.
const (
	PerVisit       Unit = "visit"        // 次
	PerHour        Unit = "hour"         // 小时
	PerDay         Unit = "day"          // 天
	PerMonth       Unit = "month"        // 月
	PerSquareMetre Unit = "square_metre" // 平方米
)

// Brand is what a regional brand adds.
type Brand struct {
	Type         BrandType     `json:"type,omitempty"`
	Founded      int           `json:"founded,omitempty"` // year
	Certificates []Certificate `json:"certificates,omitempty"`
}

// BrandType is the list that a brand stands on; empty where none is established.
type BrandType string

// The types of brand.
const (
	QingBrand              BrandType = "qing_brand"              // 青字号
	TimeHonouredQinghai    BrandType = "time_honoured_qinghai"   // 青海老字号
	TimeHonouredChina      BrandType = "time_honoured_china"     // 中华老字号
	GeographicalIndication BrandType = "geographical_indication" // 地理标志
)

// Certificate is a grant of a brand title.
type Certificate struct {
	Number     string            `json:"number,omitempty"`
	Grantor    string            `json:"grantor"`
	ValidFrom  Date              `json:"valid_from,omitempty"`
	ValidUntil Date              `json:"valid_until,omitempty"`
	Status     CertificateStatus `json:"status"`
}

// CertificateStatus is the state of a certificate.
type CertificateStatus string

// The states of a certificate.
const (
	CertificateValid   CertificateStatus = "valid"
	CertificateExpired CertificateStatus = "expired"
	CertificateRevoked CertificateStatus = "revoked"
)

// ElderCare is what an elder-care facility adds. Counts are nil where not known.
type ElderCare struct {
	Operation       Operation `json:"operation,omitempty"`
	Grade           int       `json:"grade,omitempty"` // 1 to 5 by GB/T 37276-2018, 0 for 未评定
	BedsTotal       *int      `json:"beds_total,omitempty"`
	BedsNursing     *int      `json:"beds_nursing,omitempty"`      // 护理型床位
	BedsSociallyRun *int      `json:"beds_socially_run,omitempty"` // 社会力量举办或运营
	BedsOccupied    *int      `json:"beds_occupied,omitempty"`
	DayPlaces       *int      `json:"day_places,omitempty"`
	CareInsurance   bool      `json:"care_insurance,omitempty"` // 长护险定点
}

// Operation is who built and who runs a facility.
type Operation string

// The modes of operation.
const (
	PublicPublic   Operation = "public_public"   // 公办公营
	PublicPrivate  Operation = "public_private"  // 公建民营
	PrivateAided   Operation = "private_aided"   // 民办公助
	PrivatePrivate Operation = "private_private" // 民办
)

// Childcare is what a nursery adds.
type Childcare struct {
	RecordNumber string           `json:"record_number,omitempty"` // 备案编号
	RecordState  RecordState      `json:"record_state,omitempty"`
	Classes      []ChildcareClass `json:"classes,omitempty"`
	Modes        []ChildcareMode  `json:"modes,omitempty"`
}

// RecordState is the state of a nursery's filing with the health bureau (备案).
type RecordState string

// The states of filing.
const (
	OnRecord    RecordState = "on_record"    // 已备案
	RecordFiled RecordState = "filed"        // 备案中
	RecordEnded RecordState = "ended"        // 已注销
	NotOnRecord RecordState = "not_recorded" // 未备案

)

// ChildcareClass is the classes of one age group.
type ChildcareClass struct {
	Group     ClassGroup `json:"group"`
	Capacity  int        `json:"capacity"`  // places in all classes of the group
	Vacancies int        `json:"vacancies"` // places free
}

// ClassGroup is an age group of 国卫人口发〔2019〕58号.
type ClassGroup string

// The age groups.
const (
	InfantClass  ClassGroup = "infant"  // 乳儿班, 6 to 12 months
	ToddlerClass ClassGroup = "toddler" // 托小班, 12 to 24 months
	SeniorClass  ClassGroup = "senior"  // 托大班, 24 to 36 months
	MixedClass   ClassGroup = "mixed"   // 混合班, 18 to 36 months
)

// ChildcareMode is how long a child stays.
type ChildcareMode string

// The modes of childcare.
const (
	FullDay  ChildcareMode = "full_day"   // 全日托
	HalfDay  ChildcareMode = "half_day"   // 半日托
	ByHour   ChildcareMode = "by_hour"    // 计时托
	Occasion ChildcareMode = "occasional" // 临时托
)

// DomesticService is what a domestic-service firm adds. Counts are nil where
// not known; nothing about a single worker is ever kept.
type DomesticService struct {
	CountiesServed    []string   `json:"counties_served,omitempty"` // region codes of county level
	Employment        Employment `json:"employment,omitempty"`
	Workers           *int       `json:"workers,omitempty"`
	WorkersCertified  *int       `json:"workers_certified,omitempty"`
	WorkersWithCredit *int       `json:"workers_with_credit,omitempty"` // with a 信用记录
	CreditCheckedAt   Date       `json:"credit_checked_at,omitempty"`
	Insured           bool       `json:"insured,omitempty"`
}

// Employment is the relation between a firm and its workers.
type Employment string

// The relations.
const (
	Employees Employment = "employees" // 员工制
	Agency    Employment = "agency"    // 中介
)

// Street is what a pedestrian street adds. Counts are nil where not known.
type Street struct {
	LengthM     *int        `json:"length_m,omitempty"`
	Shops       *int        `json:"shops,omitempty"`
	Level       StreetLevel `json:"level,omitempty"`
	NightMarket bool        `json:"night_market,omitempty"`
	Listings    []string    `json:"listings,omitempty"` // ids of listings on the street
}

// StreetLevel is the official recognition of a street.
type StreetLevel string

// The levels of recognition.
const (
	NationalStreet   StreetLevel = "national"   // 国家级
	ProvincialStreet StreetLevel = "provincial" // 省级特色
)

// Scope returns what the listing belongs to: its organization, and the bureau and
// region that look after it.
func (l *Listing) Scope() Scope {
	return Scope{Organization: l.OrganizationID, Bureau: BureauOf(l.Kind), Region: l.Region}
}

// PriceFrom returns the lowest price of any offering in fen; ok is false when
// there is no offering.
func (l *Listing) PriceFrom() (fen int64, ok bool) {
	for i, o := range l.Offerings {
		if i == 0 || o.PriceMin < fen {
			fen = o.PriceMin
		}
	}
	return fen, len(l.Offerings) > 0
}

// HasVacancy tells whether the listing states a free bed or childcare place.
func (l *Listing) HasVacancy() bool {
	if e := l.ElderCare; e != nil && e.BedsTotal != nil && e.BedsOccupied != nil {
		return *e.BedsTotal > *e.BedsOccupied
	}
	if c := l.Childcare; c != nil {
		return slices.ContainsFunc(c.Classes, func(k ChildcareClass) bool { return k.Vacancies > 0 })
	}
	return false
}

// Badges returns the codes of the distinctions that follow from the listing's
// facts, in the order of the Badges vocabulary.
func (l *Listing) Badges() []string {
	var out []string
	add := func(code string, has bool) {
		if has {
			out = append(out, code)
		}
	}
	if b := l.Brand; b != nil {
		add(string(b.Type), b.Type != "")
	}
	if e := l.ElderCare; e != nil {
		add("grade_"+string(rune('0'+e.Grade)), e.Grade > 0)
		add("care_insurance", e.CareInsurance)
	}
	if c := l.Childcare; c != nil {
		add("on_record", c.RecordState == OnRecord)
	}
	if d := l.DomesticService; d != nil {
		add("employees", d.Employment == Employees)
		add("credit_record", d.WorkersWithCredit != nil && *d.WorkersWithCredit > 0)
	}
	if s := l.Street; s != nil {
		add("national_street", s.Level == NationalStreet)
		add("provincial_street", s.Level == ProvincialStreet)
	}
	return out
}

// Rank is the listing's place among equally relevant ones, larger first: the
// lower bound of its satisfaction interval, then how recently it was verified
// or, failing that, changed. A stale listing comes after all others.
func (l *Listing) Rank() (satisfaction float64, fresh time.Time) {
	if l.Stale {
		return -1, time.Time{}
	}
	if s := l.Satisfaction.Summary(); s.Low != nil {
		satisfaction = *s.Low
	}
	if l.VerifiedAt != nil {
		return satisfaction, *l.VerifiedAt
	}
	return satisfaction, l.UpdatedAt
}
