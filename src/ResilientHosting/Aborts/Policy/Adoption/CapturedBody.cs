using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace ResilientHosting.Aborts;

/// <summary>
/// Copies what a handler answers while it goes to the handler's own client. Status and headers are copied just before the first of
/// it is passed on: what the middleware outside then adds, such as a content encoding, is not the handler's.
/// </summary>
internal sealed class CapturedBody : StreamResponseBodyFeature
{
    private readonly HttpContext _context;
    private readonly IHttpResponseBodyFeature _server;
    private readonly CopyingStream _stream;
    private readonly Dictionary<string, StringValues> _headersBefore;
    private List<KeyValuePair<string, StringValues>>? _headers;
    private int _statusCode;

    private CapturedBody(HttpContext context, IHttpResponseBodyFeature server, CopyingStream stream)
        : base(stream, server)
    {
        _context = context;
        _server = server;
        _stream = stream;
        _headersBefore = new(context.Response.Headers, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Runs the handler.</summary>
    /// <returns>Its answer, or <see langword="null"/> if it failed.</returns>
    public static async Task<CapturedResponse?> RunAsync(HttpContext context, RequestDelegate handler, int limit)
    {
        var server = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var stream = new CopyingStream(server.Stream, limit);
        var body = new CapturedBody(context, server, stream);
        stream.Starting = body.CaptureHead;
        context.Features.Set<IHttpResponseBodyFeature>(body);
        try
        {
            await handler(context).ConfigureAwait(false);
            if (body.Writer.UnflushedBytes > 0)
            {
                await body.Writer.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            }
        }
        finally
        {
            context.Features.Set(server);
        }

        return body.ToResponse();
    }

    public override Task StartAsync(CancellationToken cancellationToken = default)
    {
        CaptureHead();
        return base.StartAsync(cancellationToken);
    }

    public override Task CompleteAsync()
    {
        CaptureHead();
        return base.CompleteAsync();
    }

    /// <summary>Whoever streams asks for this. A stream has no result that could be given twice.</summary>
    public override void DisableBuffering()
    {
        _stream.GiveUp();
        _server.DisableBuffering();
    }

    private void CaptureHead()
    {
        if (_headers is not null)
        {
            return;
        }

        var response = _context.Response;
        _statusCode = response.StatusCode;
        _headers = [.. response.Headers.Where(header =>
            CapturedResponse.IsKeptHeader(header.Key)
            && (!_headersBefore.TryGetValue(header.Key, out var before) || before != header.Value))];

        // A cookie is made for one client at one moment; a cache for output does not keep such answers either.
        if (_headers.Exists(header => header.Key.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase))
            || ResponsePhase.IsOpenEnded(response.ContentType))
        {
            _stream.GiveUp();
        }
    }

    private CapturedResponse? ToResponse()
    {
        CaptureHead();
        if (_statusCode is >= StatusCodes.Status500InternalServerError or StatusCodes.Status499ClientClosedRequest)
        {
            return null;
        }

        var hasTrailers = _context.Features.Get<IHttpResponseTrailersFeature>() is { Trailers.Count: > 0 };
        return _statusCode == StatusCodes.Status101SwitchingProtocols || hasTrailers || _stream.Copied is not { } copied
            ? CapturedResponse.NotKept
            : new CapturedResponse(_statusCode, _headers!, copied);
    }
}
