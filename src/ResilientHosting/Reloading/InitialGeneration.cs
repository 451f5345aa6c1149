using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>Generation 0, the process's own start, joined to the seams before anybody knows whether there will be another.</summary>
/// <param name="Generation">Its life.</param>
/// <param name="Seams">What joins it to the generations after it.</param>
/// <param name="State">The process as it was.</param>
/// <param name="MainThread">The thread that runs its <c>Main</c>, if this was called there.</param>
internal sealed record InitialGeneration(Generation Generation, SwapSeams Seams, ProcessState State, Thread? MainThread)
{
    // The runtime numbers managed threads from the first.
    public static bool IsMainThread => Environment.CurrentManagedThreadId == 1;

    public static InitialGeneration Create() => new(
        new Generation(0, AssemblyLoadContext.Default),
        new SwapSeams(TimeProvider.System),
        new ProcessState(),
        IsMainThread ? Thread.CurrentThread : null);

    public static void Join(IServiceCollection services)
    {
        var initial = Create();
        initial.Seams.AddTo(services, initial.Generation);
        services.AddSingleton(initial);
        services.AddSingleton(_ => new Generation.StopSentinel(initial.Generation));
    }
}
