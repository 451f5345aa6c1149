using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

// One class a protocol, because classes run side by side.

public sealed class Http1AbortStormTests
{
    public static TheoryData<Departure, Pipeline, string> Cells() => AbortStorm.Cells(Protocol.Http1);

    [Theory]
    [MemberData(nameof(Cells))]
    public Task Storm_OnEveryPath_IsQuietRecordedAndTornDownOnce(Departure departure, Pipeline pipeline, string environment) =>
        new AbortStorm(Protocol.Http1, departure, pipeline, environment).RunAsync();
}

public sealed class Http1OverTlsAbortStormTests
{
    public static TheoryData<Departure, Pipeline, string> Cells() => AbortStorm.Cells(Protocol.Http1OverTls);

    [Theory]
    [MemberData(nameof(Cells))]
    public Task Storm_OnEveryPath_IsQuietRecordedAndTornDownOnce(Departure departure, Pipeline pipeline, string environment) =>
        new AbortStorm(Protocol.Http1OverTls, departure, pipeline, environment).RunAsync();
}

public sealed class Http2AbortStormTests
{
    public static TheoryData<Departure, Pipeline, string> Cells() => AbortStorm.Cells(Protocol.Http2);

    [Theory]
    [MemberData(nameof(Cells))]
    public Task Storm_OnEveryPath_IsQuietRecordedAndTornDownOnce(Departure departure, Pipeline pipeline, string environment) =>
        new AbortStorm(Protocol.Http2, departure, pipeline, environment).RunAsync();
}

public sealed class Http2OverTlsAbortStormTests
{
    public static TheoryData<Departure, Pipeline, string> Cells() => AbortStorm.Cells(Protocol.Http2OverTls);

    [Theory]
    [MemberData(nameof(Cells))]
    public Task Storm_OnEveryPath_IsQuietRecordedAndTornDownOnce(Departure departure, Pipeline pipeline, string environment) =>
        new AbortStorm(Protocol.Http2OverTls, departure, pipeline, environment).RunAsync();
}
