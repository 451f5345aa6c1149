using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>Generation 0, the process's own start, joined to the seams before anybody knows whether there will be another.</summary>
internal sealed record InitialGeneration(Generation Generation, SwapSeams Seams)
{
    public static InitialGeneration Create() => new(new Generation(0, AssemblyLoadContext.Default), new SwapSeams(TimeProvider.System));

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
                    initial.Generation.Others.Add(host);
                }
            });
    }
}
