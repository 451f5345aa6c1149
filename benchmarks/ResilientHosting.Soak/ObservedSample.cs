using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.Soak;

/// <summary>A copy of the sample that also tells how much memory it uses.</summary>
internal static class ObservedSample
{
    public const string MemoryPath = "/soak/memory";

    private const int EditsBetweenWholeImages = 10;
    private const string End = "app.Run();";
    private const string Greeting = "Welcome to the order desk.";

    public static async Task<Solution> CreateAsync(Workshop workshop)
    {
        var sample = await SampleSolution.CreateAsync(workshop);
        var program = Path.Combine(sample.ProjectDirectory, "Program.cs");
        File.WriteAllText(program, File.ReadAllText(program).Replace(
            End,
            $$"""
            app.MapGet("{{MemoryPath}}", () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return $"{GC.GetTotalMemory(forceFullCollection: true)} {System.Runtime.Loader.AssemblyLoadContext.All.Count(context => context.IsCollectible)}";
            });
            {{End}}
            """,
            StringComparison.Ordinal));
        await Workshop.DotnetAsync(sample.ProjectDirectory, "build", "-nologo", "-v:q");

        // Most edits are in bodies. Now and then one removes a type that the one before has added, which only a whole image can say.
        var edit = Edit.Replacing("Program.cs", program, Greeting);
        return sample with
        {
            Edits = [edit with
            {
                Content = (mark, number) => edit.Content(mark, number) + (number % EditsBetweenWholeImages == 0 ? $"\ninternal static class Added{number};\n" : ""),
            }],
        };
    }
}
