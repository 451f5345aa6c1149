using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>Generation 0, the process's own start, joined to the seams before anybody knows whether there will be another.</summary>
internal sealed record InitialGeneration(Generation Generation, SwapSeams Seams)
{
    public static InitialGeneration Create() => new(new Generation(0, AssemblyLoadContext.Default), new SwapSeams(TimeProvider.System));

    public static void Join(IServiceCollection services)
    {
        var initial = Create();
        initial.Seams.AddTo(services, initial.Generation);
        services.AddSingleton(initial);
        services.AddSingleton(_ => new Generation.StopSentinel(initial.Generation));
    }
}
