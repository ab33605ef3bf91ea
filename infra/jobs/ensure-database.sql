-- Makes a role and a database of the same name, owned by it, or brings them to what is asked for.
-- Variables: `database` (psql --set); the role's password comes from the environment, never from the command line.
\getenv owner_password OWNER_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', :'database')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'database')
\gexec

-- Not logged: the statement holds the password.
SET log_statement = 'none';
ALTER ROLE :"database" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec

REVOKE CONNECT ON DATABASE :"database" FROM PUBLIC;
