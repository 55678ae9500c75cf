-- The hashes of passwords (bcrypt), as Supabase Auth stores them.

create extension pgcrypto with schema extensions;
