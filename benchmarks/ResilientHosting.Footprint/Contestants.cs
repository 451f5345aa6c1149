using ResilientHosting.Benchmarks.DevServers;
using ResilientHosting.Benchmarks.Features;

namespace ResilientHosting.Footprint;

/// <summary>The application of this program in Production, with each feature, and with all.</summary>
internal static class Production
{
    public static Solution Solution { get; } = new("the application", AppContext.BaseDirectory, "/", []);

    public static IEnumerable<Contestant> Contestants { get; } =
        from features in (Feature[])[Feature.None, Feature.Resources, Feature.Tolerance, Feature.Reloader, Feature.All]
        select new Contestant(features.Describe(), "dotnet", ["exec", typeof(Production).Assembly.Location, "serve", $"{features}"], Edits: 0)
        {
            Environment = new Dictionary<string, string> { ["ASPNETCORE_ENVIRONMENT"] = "Production" },
        };
}

/// <summary>The sample under development. Each builds first, and the time that takes is part of its start.</summary>
internal static class Development
{
    // Build servers outlive what has started them, and may have been there before: nobody's memory.
    private static readonly Dictionary<string, string> NoBuildServers = new()
    {
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["UseSharedCompilation"] = "false",
    };

    public static readonly Contestant Reloader = Contestant.Ours with
    {
        Name = "dotnet run, with the dev reloader",
        Arguments = ["run", "--no-launch-profile"],
        Environment = new Dictionary<string, string>([.. Contestant.Ours.Environment, .. NoBuildServers]),
    };

    public static readonly Contestant Plain = new("dotnet run", "dotnet", ["run", "--no-launch-profile"], Edits: 0)
    {
        Environment = NoBuildServers,
    };

    public static readonly Contestant Watch = Contestant.WatchDelta with
    {
        Name = "dotnet watch",
        Environment = new Dictionary<string, string>([.. Contestant.WatchDelta.Environment, .. NoBuildServers]),
    };

    /// <summary>The same application as it would be without the library's reloader.</summary>
    public static async Task<Solution> WithoutReloaderAsync(Solution sample)
    {
        var program = sample.Edits[0].File;
        var source = await File.ReadAllTextAsync(program);
        await File.WriteAllTextAsync(program, source
            .Replace("builder.Services.AddDevReloader();", "", StringComparison.Ordinal)
            .Replace("app.UseDevReloader();", "", StringComparison.Ordinal));
        await Workshop.DotnetAsync(sample.ProjectDirectory, "build", "-nologo", "-v:q");
        return sample with { Edits = [Edit.Replacing("Program.cs", program, SampleSolution.Greeting)] };
    }
}
