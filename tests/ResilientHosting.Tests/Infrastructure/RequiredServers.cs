using System.Diagnostics;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Starts servers for tests. Without its programs a test is skipped; where continuous integration has to install them, it fails.</summary>
internal static class RequiredServers
{
    extension(PostgreSqlServer)
    {
        public static Task<PostgreSqlServer> StartOrSkipAsync()
        {
            Require(PostgreSqlServer.IsInstalled, "PostgreSQL", "postgresql");
            return PostgreSqlServer.StartAsync();
        }
    }

    extension(PgBouncerServer)
    {
        public static Task<PgBouncerServer> StartOrSkipAsync(PostgreSqlServer server, int poolSize)
        {
            Require(PgBouncerServer.IsInstalled, "PgBouncer", "pgbouncer");
            return PgBouncerServer.StartAsync(server, poolSize);
        }
    }

    public static void Require(bool isInstalled, string product, string package)
    {
        if (isInstalled)
        {
            return;
        }

        var reason = $"{product} is not installed. On Debian: apt-get install {package}.";
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true" && OperatingSystem.IsLinux(), reason);
        Assert.Skip(OperatingSystem.IsLinux() ? reason : $"{reason} It cannot be installed by eng/test.sh on this system.");
        throw new UnreachableException();
    }
}
