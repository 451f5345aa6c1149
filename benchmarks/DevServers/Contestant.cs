using System.Net;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>A way to run an application and have edits served.</summary>
internal sealed record Contestant(string Name, string[] Arguments, int Edits, IReadOnlyDictionary<string, string> Environment)
{
    public static readonly Contestant Ours = new(
        "ResilientHosting", ["run", "--no-build", "--no-launch-profile"], Edits: 12, new Dictionary<string, string>
        {
            ["DOTNET_MODIFIABLE_ASSEMBLIES"] = "debug",
            ["DOTNET_TieredPGO"] = "0",
        });

    public static readonly Contestant WatchDelta = new(
        "dotnet watch, delta", ["watch", "--non-interactive", "run", "--no-launch-profile"], Edits: 8, new Dictionary<string, string>
        {
            // What a delta can't express restarts the process instead of asking whether to.
            ["DOTNET_WATCH_RESTART_ON_RUDE_EDIT"] = "1",
        });

    public static readonly Contestant WatchRestart = new(
        "dotnet watch, restart", ["watch", "--non-interactive", "--no-hot-reload", "run", "--no-launch-profile"], Edits: 4,
        new Dictionary<string, string>());

    /// <summary>Gets or sets how it is asked: a scheme, and the version of HTTP.</summary>
    public (string Scheme, Version Version) Http { get; init; } = ("http", HttpVersion.Version11);

    public static readonly Contestant[] All = [Ours, WatchDelta, WatchRestart];
}
