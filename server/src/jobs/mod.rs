//! Background work: leased rows of the job table.
