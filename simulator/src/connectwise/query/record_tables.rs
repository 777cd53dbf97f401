//! The names of time, documents, sites, configurations and the lists a ticket chooses from.
//!
//! Holds: one table per resource, as in `tables`.
//!
//! Source of the tables: the models in the OpenAPI subset and the samples; of the exceptions: facts 7.1 and 9.

/// `noteType` cannot be asked for. Source: facts 7.1.
pub(super) const ALL_NOTE: &str = "
    number: id ticket/id
    text: text originalAuthor ticket/summary
    reference: ticket
    date: timeStart timeEnd
    boolean: detailDescriptionFlag internalAnalysisFlag resolutionFlag bundledFlag mergedFlag issueFlag
    identified: member
    named: contact
    only_returned: noteType";

pub(super) const SERVICE_ALL_NOTE: &str = "
    boolean: isMarkdownFlag createdByParentFlag";

pub(super) const TIME_ENTRY: &str = "
    number: id chargeToId locationId businessUnitId hoursDeduct actualHours hoursBilled invoiceHours hourlyRate
    number: agreementHours agreementAmount invoiceReady ticket/id
    enum ServiceTicket ProjectTicket Company ChargeCode Activity: chargeToType
    enum Billable DoNotBill NoCharge NoDefault: billableOption
    enum Open Rejected PendingApproval ErrorsCorrected PendingProjectApproval ApprovedByTierOne RejectBySecondTier ApprovedByTierTwo ReadyToBill Billed WrittenOff BilledAgreement: status
    text: notes internalNotes enteredBy emailCc ticketBoard ticketStatus ticketType ticketSubType ticket/summary
    date: timeStart timeEnd
    boolean: addToDetailDescriptionFlag addToInternalAnalysisFlag addToResolutionFlag
    boolean: emailResourceFlag emailContactFlag emailCcFlag invoiceFlag
    identified: company member
    named: workType workRole agreement location department timeSheet project phase
    reference: ticket
    array: customFields";

pub(super) const DOCUMENT: &str = "
    number: id size
    text: title fileName serverFileName owner guid
    boolean: linkFlag imageFlag publicFlag htmlTemplateFlag readOnlyFlag urlFlag
    date: createdOnDate
    named: documentType";

pub(super) const AUDIT_TRAIL: &str = "
    text: text enteredBy auditType auditSubType auditSource
    date: enteredDate";

/// `defaultFlag` is no name here. Source: facts 3.3.
pub(super) const SITE: &str = "
    number: id
    text: name addressLine1 addressLine2 city zip phoneNumber phoneNumberExt faxNumber
    boolean: primaryAddressFlag defaultShippingFlag defaultBillingFlag defaultMailingFlag inactiveFlag
    identified: stateReference company country";

pub(super) const CONFIGURATION: &str = "
    number: id locationId businessUnitId parentConfigurationId
    text: name deviceIdentifier serialNumber modelNumber tagNumber macAddress ipAddress osType osInfo lastLoginName
    boolean: activeFlag billFlag
    date: purchaseDate installationDate warrantyExpirationDate
    named: type status contact site location manufacturer sla
    identified: company vendor department
    array: questions customFields";

pub(super) const LINKED_CONFIGURATION: &str = "
    number: id
    text: deviceIdentifier";

pub(super) const REFERENCE: &str = "
    number: id
    text: name";

pub(super) const SUB_TYPE: &str = "
    number: id
    text: name
    boolean: inactiveFlag
    named: board
    only_returned: typeAssociationIds";

pub(super) const ITEM: &str = "
    number: id
    text: name
    boolean: inactiveFlag
    named: board";

pub(super) const TEAM: &str = "
    number: id boardId locationId businessUnitId
    text: name
    boolean: defaultFlag notifyOnTicketDelete
    identified: teamLeader
    only_returned: members";

pub(super) const ASSOCIATION: &str = "
    number: id
    named: type subType item board";

pub(super) const SOURCE: &str = "
    number: id
    text: name
    boolean: defaultFlag";

pub(super) const CUSTOM_FIELD: &str = "
    number: id podId sequenceNumber numberDecimals
    text: podDescription caption screenId screenDescription fieldTypeIdentifier entryTypeIdentifier connectWiseID
    boolean: requiredFlag displayOnScreenFlag readOnlyFlag listViewFlag
    only_returned: options businessUnitIds locationIds dateCreated";

pub(super) const WORK_TYPE: &str = "
    number: id rate hoursMin hoursMax roundBillHoursTo costMultiplier
    text: name rateType
    enum Billable DoNotBill NoCharge NoDefault: billTime
    boolean: inactiveFlag overallDefaultFlag activityDefaultFlag utilizationFlag";

pub(super) const WORK_ROLE: &str = "
    number: id hourlyRate
    text: name
    boolean: inactiveFlag
    only_returned: locationIds";

pub(super) const COMMUNICATION: &str = "
    number: id contactId
    text: value extension domain
    boolean: defaultFlag
    enum Email Phone Fax: communicationType
    named: type";
