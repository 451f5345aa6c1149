using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Benchmarks;

/// <summary>
/// What a server lends each request of a connection: one token source that is used again and again, and a body that is there already.
/// </summary>
internal sealed class ConnectionFeatures(byte[]? body) : IRequestBodyPipeFeature, IHttpRequestBodyDetectionFeature
{
    private readonly CancellationTokenSource _connection = new();
    private readonly HttpRequestLifetimeFeature _lifetime = new();
    private readonly MemoryStream? _body = body is null ? null : new MemoryStream(body);

    public bool CanHaveBody => _body is not null;

    public PipeReader Reader { get; } = PipeReader.Create(Stream.Null);

    public void AddTo(IFeatureCollection features)
    {
        _lifetime.RequestAborted = _connection.Token;
        features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        features.Set<IHttpRequestBodyDetectionFeature>(this);
        if (_body is not null)
        {
            _body.Position = 0;
            features.GetRequiredFeature<IHttpRequestFeature>().Body = _body;
            features.Set<IRequestBodyPipeFeature>(this);
        }
    }
}
