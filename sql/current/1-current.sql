-- State goes here; behaviour goes to fixtures/ and comes in by --!include. This file is run again at each change: make it repeatable.
-- Better to give way, and be tried again, than to have the application queue up behind a lock.
set local lock_timeout = '500ms';
set local statement_timeout = '60s';
