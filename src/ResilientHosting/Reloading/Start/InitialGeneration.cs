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
        services.AddSingleton(initial);
        services.AddSingleton(_ => new Generation.StopSentinel(initial.Generation));
        initial.Seams.AddTo(services, initial.Generation);

        // A server may still be registered, by UseKestrel() for example: behind this call in a program, or behind a start-up class.
        LastMoment.Await(services, () =>
        {
            if (!services.IsReadOnly)
            {
                initial.Seams.AddTo(services, initial.Generation);
            }
        });
        HostEvents? events = null;
        events = new HostEvents(
            run: null,
            building: host => host.ConfigureServices((_, built) =>
            {
                if (built.Any(service => ReferenceEquals(service.ImplementationInstance, initial)))
                {
                    initial.Seams.AddTo(built, initial.Generation);
                }
            }),
            built: host =>
            {
                if (host.Services.GetService<InitialGeneration>() == initial)
                {
                    events!.Dispose();
                }
                else
                {
                    initial.Generation.Track(host);
                }
            });
    }
}
