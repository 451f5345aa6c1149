using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.Soak;

/// <summary>A copy of the sample that also tells how much memory it uses.</summary>
internal static class ObservedSample
{
    public const string MemoryPath = "/soak/memory";

    private const int EditsBetweenWholeImages = 10;
    private const string End = "app.Run();";

    /// <summary>Runs the application itself, so that the process that is observed is its own.</summary>
    public static Contestant RunBy(Solution sample) => Contestant.Ours with
    {
        Arguments = ["exec", Path.Combine(sample.ProjectDirectory, "bin", "Debug", "net10.0", "MinimalApi.dll")],
    };

    public static async Task<Solution> CreateAsync(Workshop workshop)
    {
        var sample = await SampleSolution.CreateAsync(workshop);
        var program = Path.Combine(sample.ProjectDirectory, "Program.cs");
        File.WriteAllText(program, File.ReadAllText(program).Replace(
            End,
            $$"""
            // The runtime's own list forgets a generation as soon as it is told to unload, whether or not it does.
            if (AppContext.GetData("generations") is not List<WeakReference> generations)
            {
                AppContext.SetData("generations", generations = []);
            }

            generations.Add(new WeakReference(System.Reflection.Assembly.GetExecutingAssembly()));
            app.MapGet("{{MemoryPath}}", () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return $"{GC.GetTotalMemory(forceFullCollection: true)} {generations.Count(generation => generation.IsAlive)}";
            });
            {{End}}
            """,
            StringComparison.Ordinal));
        await Workshop.DotnetAsync(sample.ProjectDirectory, "build", "-nologo", "-v:q");

        // Most edits are in bodies. Now and then one removes a type that the one before has added, which only a whole image can say.
        var edit = Edit.Replacing("Program.cs", program, SampleSolution.Greeting);
        return sample with
        {
            Edits = [edit with
            {
                Content = (mark, number) => edit.Content(mark, number) + (number % EditsBetweenWholeImages == 0 ? $"\ninternal static class Added{number};\n" : ""),
            }],
        };
    }
}
