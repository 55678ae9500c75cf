/**
 * What the gateway's statements rely on, whatever the database's or the role's own settings say: dates that the driver can read, and
 * that a statement sees what others have just committed.
 */
export const sessionOptions = '-c DateStyle=ISO,MDY -c default_transaction_isolation=read\\ committed';
