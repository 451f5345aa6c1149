using System.Net;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>A way to run an application.</summary>
/// <param name="Name">What the tables call it.</param>
/// <param name="Program">The program to start.</param>
/// <param name="Arguments">Its arguments; <see cref="Port"/> stands for the port to listen on, which is in the variable PORT too.</param>
/// <param name="Edits">How many edits of one kind are measured.</param>
internal sealed record Contestant(string Name, string Program, string[] Arguments, int Edits)
{
    public const string Port = "{port}";

    private const string Dotnet = "dotnet";

    public static readonly Contestant Ours = new("ResilientHosting", Dotnet, ["run", "--no-build", "--no-launch-profile"], Edits: 12)
    {
        ReadyLine = "dev reloader: watching",
        Environment = new Dictionary<string, string> { ["DOTNET_MODIFIABLE_ASSEMBLIES"] = "debug", ["DOTNET_TieredPGO"] = "0" },
    };

    public static readonly Contestant WatchDelta = new(
        "dotnet watch, delta", Dotnet, ["watch", "--non-interactive", "run", "--no-launch-profile"], Edits: 8)
    {
        ReadyLine = "dotnet watch",

        // What a delta can't express restarts the process instead of asking whether to.
        Environment = new Dictionary<string, string> { ["DOTNET_WATCH_RESTART_ON_RUDE_EDIT"] = "1" },
    };

    public static readonly Contestant WatchRestart = new(
        "dotnet watch, restart", Dotnet, ["watch", "--non-interactive", "--no-hot-reload", "run", "--no-launch-profile"], Edits: 4)
    {
        ReadyLine = "dotnet watch",
    };

    public static readonly Contestant[] All = [Ours, WatchDelta, WatchRestart];

    /// <summary>Gets what it prints when it is ready for edits, or <see langword="null"/> if it is as soon as it answers.</summary>
    public string? ReadyLine { get; init; }

    /// <summary>Gets the variables that it needs beside the usual ones.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Gets how it is asked: a scheme, and the version of HTTP.</summary>
    public (string Scheme, Version Version) Http { get; init; } = ("http", HttpVersion.Version11);
}
