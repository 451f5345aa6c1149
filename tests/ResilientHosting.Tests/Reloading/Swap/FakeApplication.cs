using System.Runtime.Loader;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

/// <summary>An application that does with a request what a test wants, and counts.</summary>
internal sealed class FakeApplication(Func<IFeatureCollection, Task>? handle = null) : IHttpApplication<IFeatureCollection>
{
    private int _created;
    private int _processed;
    private int _disposed;

    public (int Created, int Processed, int Disposed) Counts => (_created, _processed, _disposed);

    public static RunningApplication Running(int generation, Func<IFeatureCollection, Task>? handle = null) =>
        new FakeApplication(handle).Run(generation);

    public RunningApplication Run(int generation) =>
        new RunningApplication<IFeatureCollection>(new Generation(generation, AssemblyLoadContext.Default), this);

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures)
    {
        Interlocked.Increment(ref _created);
        return contextFeatures;
    }

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        Interlocked.Increment(ref _processed);
        if (handle is not null)
        {
            await handle(context);
        }
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception) => Interlocked.Increment(ref _disposed);
}

/// <summary>A request without a connection.</summary>
internal sealed class FakeRequest : IHttpRequestLifetimeFeature, IDisposable
{
    private readonly CancellationTokenSource _aborted = new();

    public FakeRequest()
    {
        var features = new DefaultHttpContext().Features;
        features.Set<IHttpRequestLifetimeFeature>(this);
        RequestAborted = _aborted.Token;
        Switched = new SwitchedRequest(features);
    }

    public SwitchedRequest Switched { get; }

    public CancellationToken RequestAborted { get; set; }

    public void Abort() => _aborted.Cancel();

    public FakeRequest To(string method, string path)
    {
        var request = Switched.Features.GetRequiredFeature<IHttpRequestFeature>();
        (request.Method, request.Path) = (method, path);
        return this;
    }

    /// <summary>Begins an answer of this type; from then on it is under way.</summary>
    public FakeRequest Answering(string contentType, int statusCode = StatusCodes.Status200OK)
    {
        var response = new StartedResponse { StatusCode = statusCode };
        response.Headers.ContentType = contentType;
        Switched.Features.Set<IHttpResponseFeature>(response);
        return this;
    }

    public void Dispose() => _aborted.Dispose();

    private sealed class StartedResponse : HttpResponseFeature
    {
        public override bool HasStarted => true;
    }
}
