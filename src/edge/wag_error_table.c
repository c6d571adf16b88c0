
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_ctx.h"
#include "wag_error_table.h"


static wag_error_t  wag_errors[] = {

    { 400, "bad_request",
      "طلب غير صالح",
      "Bad request" },
    { 401, "unauthorized",
      "مفتاح API مفقود أو غير صحيح",
      "The API key is missing or wrong" },
    { 403, "forbidden",
      "الوصول ممنوع",
      "Forbidden" },
    { 404, "not_found",
      "المسار غير موجود",
      "Not found" },
    { 405, "method_not_allowed",
      "الطريقة غير مسموح بها",
      "Method not allowed" },
    { 408, "request_timeout",
      "انتهت مهلة استقبال الطلب",
      "The request was not received in time" },
    { 411, "length_required",
      "طول الطلب مطلوب",
      "Length required" },
    { 413, "payload_too_large",
      "حجم الطلب أكبر من المسموح",
      "The request is too large" },
    { 414, "uri_too_long",
      "الرابط أطول من المسموح",
      "The URI is too long" },
    { 415, "unsupported_media_type",
      "نوع المحتوى غير مدعوم",
      "Unsupported media type" },
    { 416, "range_not_satisfiable",
      "النطاق المطلوب غير متاح",
      "Range not satisfiable" },
    { 429, "too_many_requests",
      "طلبات كثيرة، حاول لاحقًا",
      "Too many requests, try again later" },
    { 500, "internal_error",
      "خطأ داخلي في البوابة",
      "Internal error of the gateway" },
    { 501, "not_implemented",
      "غير مدعوم",
      "Not implemented" },
    { 502, "bad_gateway",
      "فشل في إرسال الرسالة",
      "Failed to send the message" },
    { 503, "service_unavailable",
      "الخدمة غير متاحة مؤقتًا",
      "Service temporarily unavailable" },
    { 504, "timeout",
      "فشل في إرسال الرسالة",
      "Failed to send the message" },
    { 505, "http_version",
      "إصدار HTTP غير مدعوم",
      "HTTP version not supported" },
    { 0, "error",
      "خطأ",
      "Error" }
};


wag_error_t  wag_no_instances = {
    503, "no_instances",
    "لا توجد instances متاحة",
    "No instances available"
};


wag_error_t  wag_details[] = {

    { 0, NULL,
      "لم تُرسل الرسالة",
      "The message was not sent" },

    { 0, NULL,
      "كل الـ instances متوقفة أو مشغولة، ولم "
      "تُرسل الرسالة",
      "Every instance is down or busy, the message was not sent" },

    { 0, NULL,
      "تعذّر الاتصال، ولم تُرسل الرسالة",
      "No connection could be made, the message was not sent" },

    { 0, NULL,
      "انقطع الاتصال بعد إرسال الطلب: ربما "
      "أُرسلت الرسالة، تحقّق قبل إعادة "
      "المحاولة",
      "The connection broke after the request was written: the message may "
      "have been sent, check before trying again" },

    { 0, NULL,
      "كُتب الطلب قبل ذلك ولا يُعاد إرساله: "
      "ربما أُرسلت الرسالة، تحقّق قبل إعادة "
      "المحاولة",
      "The request was written before and is not sent again: the message "
      "may have been sent, check before trying again" },

    { 0, NULL,
      "لم تُجب الـ instance في الوقت المحدد: "
      "ربما أُرسلت الرسالة، تحقّق قبل إعادة "
      "المحاولة",
      "The instance did not answer in time: the message may have been "
      "sent, check before trying again" },

    { 0, NULL,
      "أجاب الخادم ولم يؤكد الإرسال: ربما أُرسلت "
      "الرسالة، تحقّق قبل إعادة المحاولة",
      "The instance answered without proof: the message may have been sent, "
      "check before trying again" },

    { 0, NULL,
      "طلب آخر بالمفتاح نفسه لم ينتهِ بعد: أعد الطلب لاحقًا لتعرف نتيجته",
      "Another request with this key has not ended: repeat it later to get "
      "what came of it" },

    { 0, NULL,
      "توقفت البوابة قبل أن تُعرف النتيجة: ربما أُرسلت الرسالة، تحقّق قبل "
      "إرسالها بمفتاح آخر",
      "The gateway was stopped before it knew what came of the request: the "
      "message may have been sent, check before sending with another key" }
};


/* by WAG_REFUSED_BAD ... */

static wag_error_t  wag_refusals[] = {

    { 400, "bad_request",
      "طلب غير صالح",
      "Bad request" },

    { 415, "unsupported_media_type",
      "لا يمكن قراءة الجلسة من جسم الطلب: أرسل JSON بلا ضغط",
      "The body has to name the session: send JSON that is not encoded" },

    { 404, "unknown_session",
      "لا توجد جلسة كهذه",
      "There is no such session" },

    { 503, "session_down",
      "لم تُعرف جلسات كل الـ instances بعد",
      "The sessions of some instances are not known yet" },

    { 503, "session_down",
      "الجلسة لا تستطيع الإرسال الآن",
      "The session cannot send now" },

    { 503, "no_session",
      "لا توجد جلسة جاهزة للإرسال",
      "No session is ready to send" },

    { 409, "ambiguous_session",
      "أكثر من رقم يطابق الطلب: سمِّ واحدًا",
      "More than one number matches: name one" },

    { 403, "forbidden_session",
      "مفتاح API محدود ولا يسمح بهذا",
      "The API key is limited and does not allow this" },

    { 403, "blocked",
      "البوابة لا تمرّر هذا المسار",
      "The gateway does not pass this path on" },

    { 500, "internal_error",
      "خطأ داخلي في البوابة",
      "Internal error of the gateway" },

    { 429, "paced",
      "الرقم يحتاج إلى راحة، حاول لاحقًا",
      "The number has to rest, try again later" },

    { 405, "method_not_allowed",
      "الطريقة غير مسموح بها",
      "Method not allowed" },

    { 403, "forbidden",
      "الطلب من صفحة موقع آخر",
      "The request is from a page of another site" },

    { 422, "rejected",
      "رفض الخادم هذه الرسالة",
      "The server refused this message" },

    { 502, "unconfirmed",
      "لم يؤكد الخادم الإرسال",
      "The server did not confirm that it was sent" },

    { 409, "in_flight",
      "طلب بهذا المفتاح قيد التنفيذ",
      "A request with this Idempotency-Key is under way" },

    { 422, "key_reused",
      "استُخدم هذا المفتاح لطلب آخر",
      "This Idempotency-Key was used for another request" },

    { 400, "key_required",
      "الترويسة Idempotency-Key مطلوبة",
      "The header Idempotency-Key is required" },

    { 503, "store_full",
      "لا مكان لمفتاح آخر",
      "There is no room for another Idempotency-Key" },

    { 503, "store_down",
      "لا يمكن تسجيل هذا الإرسال الآن",
      "What is sent cannot be kept account of now" },

    { 502, "unconfirmed",
      "لم يؤكد الخادم الإرسال",
      "The server did not confirm that it was sent" }
};


wag_error_t *
wag_error_of_refusal(ngx_uint_t refusal)
{
    return &wag_refusals[refusal - 1];
}


wag_error_t *
wag_error_of_status(ngx_uint_t status)
{
    wag_error_t  *error;

    for (error = wag_errors; error->status; error++) {
        if (error->status == status) {
            break;
        }
    }

    return error;
}
