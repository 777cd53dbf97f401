//! The names of each resource: a line is a kind and its names.
//!
//! Holds: one table per resource of the simulator.
//! Leaves to others: how a line is read (`names`).
//!
//! Source of the tables: the models in the OpenAPI subset; of the exceptions: facts 3.3, 7.1 and 9.

/// Names that nearly every resource has. Source: facts 3.3 (top level although the answer holds them under `_info`).
pub(super) const COMMON: &str = "
    only_asked date: lastUpdated dateEntered
    only_returned: _info";

pub(super) const TICKET: &str = "
    number: id knowledgeBaseCategoryId knowledgeBaseSubCategoryId knowledgeBaseLinkId predecessorId lagDays duration
    text: summary siteName addressLine1 addressLine2 city stateIdentifier zip contactName contactPhoneNumber contactPhoneExtension
    text: contactEmailAddress agreementType automaticEmailCc contactEmailLookup closedBy resources mobileGuid
    date: closedDate subDateAccepted requiredDate estimatedStartDate
    number: budgetHours actualHours subBillingAmount
    boolean: allowAllClientsPortalView customerUpdatedFlag automaticEmailContactFlag automaticEmailResourceFlag automaticEmailCcFlag
    boolean: processNotifications closedFlag approved predecessorClosedFlag lagNonworkingDaysFlag
    named: board status workRole workType site contact type subType item priority serviceLocation source opportunity agreement location
    identified: company country owner department
    named: currency
    enum ActualRates FixedFee NotToExceed OverrideRate: subBillingMethod
    enum Billable DoNotBill NoCharge NoDefault: billTime billExpenses billProducts
    enum Ticket Phase: predecessorType
    enum Activity ProjectIssue KnowledgeBaseArticle ProjectTicket ServiceTicket Time: knowledgeBaseLinkType
    number: priority/sort status/sort
    array: customFields";

/// `configuration/id` works although no such member is returned. Source: facts 3.3.
pub(super) const SERVICE_TICKET: &str = "
    number: resolveMinutes resPlanMinutes respondMinutes parentTicketId escalationLevel minutesBeforeWaiting minutesWaiting
    number: estimatedExpenseCost estimatedExpenseRevenue estimatedProductCost estimatedProductRevenue estimatedTimeCost estimatedTimeRevenue
    number: billingAmount hourlyRate respondedHours resplanHours resolutionHours
    text: externalXRef poNumber slaStatus respondedBy resplanBy resolvedBy
    date: dateResolved dateResplan dateResponded escalationStartDateUTC respondByGoalUTC resplanGoalUTC resolutionGoalUTC
    boolean: isInSla hasChildTicket hasMergedChildTicketFlag billTicketSeparately billTicketOnlyAfterClosed
    boolean: billUnapprovedTimeAndExpenses restrictDownPayment requestForChangeFlag
    named: team sla
    number: mergedParentTicket/id
    text: mergedParentTicket/summary
    reference: mergedParentTicket
    enum ServiceTicket ProjectTicket ProjectIssue: recordType
    enum Low Medium High: severity impact
    enum ActualRates FixedFee NotToExceed OverrideRate: billingMethod
    only_asked number: configuration/id
    only_returned: integratorTags";

pub(super) const PROJECT_TICKET: &str = "
    text: wbsCode
    boolean: isIssueFlag
    named: project phase
    date: scheduleStartDate scheduleEndDate
    array: tasks";

pub(super) const NOTE: &str = "
    number: id ticketId
    text: text
    boolean: detailDescriptionFlag internalAnalysisFlag resolutionFlag issueFlag customerUpdatedFlag processNotifications
    boolean: internalFlag externalFlag
    identified: member
    named: contact
    only_returned: htmlContent noteType";

/// Project notes have neither. Source: facts 7.1.
pub(super) const SERVICE_NOTE: &str = "
    text: createdBy
    date: dateCreated
    only_returned: sentimentScore";

pub(super) const BOARD: &str = "
    number: id emailConnectorReopenDaysLimit emailConnectorReopenDaysClosedLimit autoAssignLimitAmount
    text: name notifyEmailFrom notifyEmailFromName connectWiseId
    named: location signOffTemplate boardIcon workRole workType autoCloseStatus emailConnectorReopenStatus
    identified: department dispatchMember serviceManagerMember dutyManagerMember oncallMember
    boolean: inactiveFlag sendToContactFlag sendToResourceFlag sendToCCFlag projectFlag useMemberDisplayNameFlag markFirstNoteIssueFlag
    boolean: restrictBoardByDefaultFlag sendToBundledFlag discussionsLockedFlag timeEntryLockedFlag autoAssignNewTicketsFlag
    enum Billable DoNotBill NoCharge NoDefault: billTime billExpense billProduct";

pub(super) const STATUS: &str = "
    number: id sortOrder
    text: name customerPortalDescription customStatusIndicatorName connectWiseId
    named: board
    identified: statusIndicator emailTemplate
    boolean: displayOnBoard inactive closedStatus timeEntryNotAllowed roundRobinCatchall defaultFlag customerPortalFlag saveTimeAsNote
    enum NotResponded Responded ResolutionPlan Resolved NoEscalation: escalationStatus";

pub(super) const TYPE: &str = "
    number: id
    text: name integrationXref connectWiseId
    named: board location
    identified: department
    boolean: defaultFlag inactiveFlag requestForChangeFlag
    enum Reactive Proactive: category";

pub(super) const PRIORITY: &str = "
    number: id sortOrder
    text: name imageLink urgencySortOrder connectWiseId
    boolean: defaultFlag
    enum Black Blue Cyan Gray Green Lime Orange Pink Purple Red White Yellow Custom: color
    enum Critical High Medium Low: level";

pub(super) const MEMBER: &str = "
    number: id hourlyCost hourlyRate dailyCapacity
    text: identifier firstName middleInitial lastName title notes officeEmail mobileEmail homeEmail primaryEmail officePhone
    text: officeExtension mobilePhone homePhone employeeIdentifer vendorNumber
    boolean: inactiveFlag disableOnlineFlag adminFlag enableMobileFlag partnerPortalFlag hideMemberInDispatchPortalFlag
    date: hireDate inactiveDate lastLogin
    enum A C F X: licenseClass
    enum Office Mobile Home: defaultEmail defaultPhone
    named: type timeZone securityRole structureLevel securityLocation defaultLocation workRole workType serviceDefaultBoard
    identified: country defaultDepartment reportsTo
    array: customFields
    only_returned: photo teams";

pub(super) const COMPANY: &str = "
    number: id annualRevenue creditLimit additionalDebt numberOfEmployees yearEstablished revenueYear
    text: identifier name addressLine1 addressLine2 city state zip phoneNumber faxNumber website accountNumber leadSource
    text: vendorIdentifier taxIdentifier invoiceToEmailAddress invoiceCCEmailAddress deletedBy resellerIdentifier mobileGuid
    boolean: leadFlag unsubscribeFlag deletedFlag isVendorFlag
    date: dateAcquired dateDeleted
    named: status territory market defaultContact sicCode ownershipType timeZoneSetup calendar taxCode billingTerms
    named: invoiceTemplate pricingSchedule companyEntityType billingSite billingContact invoiceDeliveryMethod emailTemplate
    named: site currency
    identified: country parentCompany billToCompany territoryManager
    array: types customFields
    only_returned: integratorTags";

pub(super) const CONTACT: &str = "
    number: id portalSecurityLevel defaultMergeContactId
    text: firstName lastName addressLine1 addressLine2 city state zip relationshipOverride securityIdentifier title school
    text: nickName significantOther mobileGuid defaultPhoneType defaultPhoneNbr defaultPhoneExtension
    boolean: inactiveFlag marriedFlag childrenFlag disablePortalLoginFlag unsubscribeFlag defaultBillingFlag defaultFlag
    date: birthDay anniversary
    named: site relationship department managerContact assistantContact companyLocation
    identified: company country
    array: communicationItems types customFields
    only_returned: integratorTags photo";

pub(super) const CALLBACK: &str = "
    number: id objectId memberId
    text: description url type level payloadVersion connectWiseID
    boolean: inactiveFlag isSoapCallbackFlag isSelfSuppressedFlag";
